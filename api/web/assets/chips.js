// Chips: a camera and a person by what people call them; the id is there for whoever has to write it down.

import { make } from "./dom.js";
import { say } from "./words.js";

/** A camera: its name and kelurahan; the id in its title. */
export function cameraChip({ id, name, kelurahan = "" }) {
  return make("span", { class: "chip camera", title: say("chip.id", { id }) },
    make("b", {}, name), kelurahan ? make("small", {}, kelurahan) : null);
}

/** A person: the name, and the role or the agency. */
export function personChip({ name, role = "", agency = "" }) {
  const more = [role, agency].filter(Boolean).join(", ");
  return make("span", { class: "chip person" }, make("b", {}, name), more ? make("small", {}, more) : null);
}
