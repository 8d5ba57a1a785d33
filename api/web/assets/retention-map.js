// The map of how long each camera's footage is kept: by the most specific policy in force, told by colour, by the
// shape of the disc, and by name.

import { say } from "./words.js";

/**
 * @typedef {{keep_days_min: number, keep_days_max: number | null}} Terms
 * @typedef {{id: string, name: string, owner: string, kecamatan: string}} Camera
 */

// As many as there are shapes of a disc: none is told by its colour alone.
const BANDS = [
  { most: 30, tone: "missing", share: 0, key: "keep_band.month" },
  { most: Infinity, tone: "recorded", share: 0.5, key: "keep_band.longer" },
];
const FOR_EVER = { tone: "main", share: 1, key: "keep_band.for_ever" };

/** The bands, the shortest first, for the legend. */
export const bands = [...BANDS, FOR_EVER];

/**
 * The terms in force for what a camera records now; null if no policy rules it.
 * @param {Camera} camera
 * @param {Map<string, Terms | null>} inForce by scope
 * @returns {Terms | null}
 */
export function termsOf(camera, inForce) {
  const scopes = [`camera:${camera.id}`, `kecamatan:${camera.kecamatan}`, `owner:${camera.owner}`, "default"];
  return scopes.map((scope) => inForce.get(scope)).find(Boolean) ?? null;
}

/**
 * The cameras as the map takes them, each in the colour and the shape of its band, with the days before its name.
 * @param {Camera[]} cameras
 * @param {{scope: string, in_force: Terms | null}[]} policies
 * @returns {any[]}
 */
export function marksOf(cameras, policies) {
  const inForce = new Map(policies.map((one) => [one.scope, one.in_force]));
  return cameras.map((camera) => {
    const days = termsOf(camera, inForce)?.keep_days_max ?? null;
    const { tone, share } = days === null ? FOR_EVER : BANDS.find((one) => days <= one.most);
    const text = days === null ? say("keep_terms.never") : say("keep_terms.days", { days });
    return { ...camera, name: `${text} · ${camera.name}`, tone, share };
  });
}
