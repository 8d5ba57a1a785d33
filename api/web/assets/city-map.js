// The map of the city's cameras, over Leaflet. A list beside it shows the same cameras in the same order, so that
// the map is never the only way.
//
//   {{ maps.city_map('map', say('city_map.label')) }}        in the template, with parts/maps.html
//   const map = document.getElementById("map"); await map.ready;
//   map.show(cameras, { fit: true })                         cameras of /v1/cameras or of /v1/search
//   map.addEventListener("pick", ({ detail }) => …)          detail { lat, lon }: a click, or Enter at the middle
//   map.addEventListener("camera", (event) => …)             detail { id, lat, lon }; without preventDefault() a
//                                                            pick of the same point follows
//   map.addEventListener("draw", ({ detail }) => …)          detail { points: [[lat, lon], …] }, after map.draw()
//
// Without tiles, which are a setting, the ground is a grid with a scale and the names of the districts.

import { make } from "./dom.js";
import { canvasLayerOf } from "./map-canvas.js";
import { markOf, paintCameras, pointOf } from "./map-cameras.js";
import { namesOf, paintGround } from "./map-ground.js";
import { cornersOf } from "./outlines.js";
import { say } from "./words.js";

const COLOURS = ["ground", "plane", "line", "edge", "text", "quiet", "main", "recorded", "missing", "pending", "held"];
const REACH = 14;
const REACH_OF_A_FINGER = 22;
const CLOSEST = 19;
const FIRST_ZOOM = 16;

export class CityMap extends HTMLElement {
  #map = null;
  #L = null;
  #marks = [];
  #names = { kecamatan: [], kelurahan: [] };
  #chosen = new Set();
  #lit = null;
  /** @type {Record<string, string>} */
  #colours = {};
  #cameras = null;
  #ground = null;
  #area = null;
  #drawing = null;
  #isPressed = false;

  /** Resolved when the map stands; with false if Leaflet is not installed here. */
  ready = Promise.resolve(false);

  connectedCallback() {
    if (!this.#map) this.ready = this.#begin();
  }

  async #begin() {
    this.replaceChildren(make("p", { class: "state-loading", role: "status" }, say("is.loading")));
    const label = this.dataset.label || say("city_map.label");
    try {
      this.#L = await import("./leaflet.js");
    } catch {
      this.replaceChildren(make("p", { class: "state-empty" }, say("city_map.not_installed")));
      return false;
    }
    const L = this.#L;
    const place = make("div", {
      class: "map-place", tabindex: "0", role: "application", "aria-label": label,
      "aria-describedby": `${this.id}-how`,
    });
    const how = make("p", { class: "map-how", id: `${this.id}-how` }, say("city_map.how"));
    this.replaceChildren(place, make("span", { class: "map-cross", "aria-hidden": "true" }), how);
    this.#map = L.map(place, {
      preferCanvas: true, zoomControl: false, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false,
      inertia: !matchMedia("(prefers-reduced-motion: reduce)").matches, maxZoom: CLOSEST, zoomSnap: 0.5, worldCopyJump: false,
      wheelPxPerZoomLevel: 90, attributionControl: false,
    });
    for (const [name, height] of [["ground", 150], ["cameras", 450]]) {
      const pane = this.#map.createPane(name);
      pane.style.zIndex = String(height);
      pane.style.pointerEvents = "none";
    }
    L.control.zoom({ zoomInTitle: say("city_map.nearer"), zoomOutTitle: say("city_map.farther") }).addTo(this.#map);
    L.control.scale({ imperial: false }).addTo(this.#map);
    this.#readColours();
    const Layer = canvasLayerOf(L);
    this.#ground = new Layer((context, part) => paintGround(context, part, {
      map: this.#map, names: this.#names, colours: this.#colours, hasTiles: Boolean(this.dataset.tiles),
    }), "ground");
    this.#cameras = new Layer((context, part) => paintCameras(context, part, {
      map: this.#map, marks: this.#marks, chosen: this.#chosen, lit: this.#lit, colours: this.#colours,
    }), "cameras");
    const [south, west, north, east] = this.dataset.box.split(",").map(Number);
    this.#map.fitBounds([[south, west], [north, east]]);
    this.#addTiles();
    this.#ground.addTo(this.#map);
    this.#cameras.addTo(this.#map);
    this.#listen(place);
    this.#addOutlines();
    return true;
  }

  #addTiles() {
    const { tiles, attribution } = this.dataset;
    if (!tiles) return;
    const L = this.#L;
    // Leaflet empties a tile that is not needed any more with a picture of its own, which the page's policy refuses.
    const Tiles = L.TileLayer.extend({
      _abortLoading() {
        for (const [key, { el, coords }] of Object.entries(this._tiles)) {
          if (coords.z === this._tileZoom || el.complete) continue;
          el.onload = el.onerror = null;
          el.remove();
          delete this._tiles[key];
          this.fire("tileabort", { tile: el, coords });
        }
      },
      _removeTile(key) {
        return L.GridLayer.prototype._removeTile.call(this, key);
      },
    });
    new Tiles(tiles, { maxZoom: CLOSEST, maxNativeZoom: Number(this.dataset.closest || CLOSEST) }).addTo(this.#map);
    if (attribution) this.append(make("p", { class: "map-attribution" }, attribution));
  }

  async #addOutlines() {
    if (!this.dataset.outlines) return;
    const answer = await fetch(this.dataset.outlines);
    if (!answer.ok) return; // the map is whole without them
    const style = () => ({ color: this.#colours.edge, weight: 1.5, fill: false, interactive: false });
    this.outlines = this.#L.geoJSON(await answer.json(), { style, interactive: false, pointToLayer: () => null }).addTo(this.#map);
  }

  #readColours() {
    const style = getComputedStyle(this);
    this.#colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  #recolour() {
    this.#readColours();
    this.outlines?.setStyle({ color: this.#colours.edge });
    this.#area?.setStyle({ color: this.#colours.main });
    this.#repaint();
  }

  #repaint() {
    this.#ground?.repaint();
    this.#cameras?.repaint();
  }

  #listen(place) {
    // The hint, the cross and the outline are for those who came with the keyboard; Leaflet focuses at a click too.
    place.addEventListener("pointerdown", () => { delete this.dataset.keys; this.#isPressed = true; }, true);
    addEventListener("pointerup", () => { this.#isPressed = false; });
    for (const name of ["focus", "keydown"]) {
      place.addEventListener(name, () => { if (!this.#isPressed) this.dataset.keys = "yes"; });
    }
    this.#map.on("click", ({ latlng, originalEvent }) => this.#clicked(latlng, originalEvent));
    place.addEventListener("keydown", (event) => {
      if (event.target !== place) return;
      if (event.key === "Escape") this.#endDrawing();
      if (event.key !== "Enter") return;
      event.preventDefault();
      const { lat, lng } = this.#map.getCenter();
      this.#tell("pick", { lat, lon: lng });
    });
    place.addEventListener("pointerdown", (event) => this.#press(event));
    place.addEventListener("pointermove", (event) => this.#move(event));
    place.addEventListener("pointerup", () => this.#release());
    place.addEventListener("pointercancel", () => this.#endDrawing());
    new MutationObserver(() => this.#recolour()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#recolour());
    new ResizeObserver(() => this.#map.invalidateSize({ animate: false })).observe(place);
  }

  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable: true, bubbles: true }));
  }

  #clicked(latlng, event) {
    if (this.#drawing) return;
    const reach = event.pointerType === "touch" ? REACH_OF_A_FINGER : REACH;
    const mark = this.#markAt(this.#map.latLngToLayerPoint(latlng), reach);
    if (mark && !this.#tell("camera", { id: mark.id, lat: mark.lat, lon: mark.lon })) return;
    this.#tell("pick", mark ? { lat: mark.lat, lon: mark.lon } : { lat: latlng.lat, lon: latlng.lng });
  }

  #markAt(point, reach) {
    let best = null;
    let least = reach;
    for (const mark of this.#marks) {
      const away = point.distanceTo(pointOf(this.#map, mark));
      if (away < least || (away === least && best?.faint)) [best, least] = [mark, away];
    }
    return best;
  }

  // -- drawing an area ----------------------------------------------------------------------------------

  /** Let the reader draw an area around what they mean; it ends with the event `draw`, or by Escape. */
  draw() {
    if (!this.#map) return;
    this.#map.dragging.disable();
    this.#drawing = { points: [] };
    this.dataset.drawing = "yes";
    /** @type {HTMLElement} */ (this.querySelector(".map-place")).focus({ preventScroll: true });
  }

  /** Whether an area is being drawn. */
  get drawing() {
    return this.#drawing !== null;
  }

  #press(event) {
    if (!this.#drawing || !event.isPrimary || event.target.closest(".leaflet-control")) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.#drawing.points = [this.#pointOf(event)];
    this.#drawing.isDown = true;
  }

  #move(event) {
    if (!this.#drawing?.isDown) return;
    this.#drawing.points.push(this.#pointOf(event));
    this.outline(this.#drawing.points.map((one) => this.#degreesOf(one)));
  }

  #release() {
    if (!this.#drawing?.isDown) return;
    const corners = cornersOf(this.#drawing.points, this.#L.LineUtil.simplify);
    // The click that follows belongs to the drawing.
    setTimeout(() => this.#endDrawing());
    if (!corners) {
      this.clearArea();
      return;
    }
    const points = corners.map((one) => this.#degreesOf(one));
    this.outline(points);
    this.#tell("draw", { points });
  }

  #endDrawing() {
    if (!this.#drawing) return;
    this.#drawing = null;
    delete this.dataset.drawing;
    this.#map.dragging.enable();
    this.dispatchEvent(new CustomEvent("drawn"));
  }

  #pointOf(event) {
    const { left, top } = this.querySelector(".map-place").getBoundingClientRect();
    return this.#map.containerPointToLayerPoint([event.clientX - left, event.clientY - top]);
  }

  #degreesOf(point) {
    const { lat, lng } = this.#map.layerPointToLatLng(point);
    return [Number(lat.toFixed(5)), Number(lng.toFixed(5))];
  }

  // -- what is shown ------------------------------------------------------------------------------------

  /**
   * Show these cameras, the first above the others. With `fit` the map shows all of them, and the area.
   * @param {any[]} cameras of `/v1/cameras` or `/v1/search`; `faint: true` for those that stand beside the answer,
   *   `share` 0 to 1 for how much of the asked time is recorded
   * @param {{ fit?: boolean }} [how]
   */
  show(cameras, { fit = false } = {}) {
    this.#marks = cameras.map(markOf);
    this.#names = namesOf(this.#marks);
    if (!this.#map) return;
    if (fit) this.fit();
    this.#repaint();
  }

  /** Show all that is not faint, and the area that was asked about. */
  fit() {
    const bold = this.#marks.filter((one) => !one.faint);
    const bounds = this.#L.latLngBounds((bold.length || this.#area ? bold : this.#marks).map((one) => [one.lat, one.lon]));
    if (this.#area) bounds.extend(this.#area.getBounds());
    if (bounds.isValid()) this.#map.fitBounds(bounds, { padding: [36, 36], maxZoom: FIRST_ZOOM + 1.5, animate: false });
  }

  /** Mark a point and the circle around it, in metres. */
  pin(/** @type {number} */ lat, /** @type {number} */ lon, /** @type {number} */ radius) {
    this.clearArea();
    if (!this.#map) return;
    const L = this.#L;
    const colour = this.#colours.main;
    const circle = L.circle([lat, lon], { radius, color: colour, weight: 2, fillOpacity: 0.06, interactive: false });
    const point = L.circleMarker([lat, lon], { radius: 5, color: colour, weight: 3, fillOpacity: 1, fillColor: this.#colours.text, interactive: false });
    this.#area = L.featureGroup([circle, point]).addTo(this.#map);
  }

  /** Mark an area: `[[lat, lon], …]`. */
  outline(/** @type {number[][]} */ points) {
    this.clearArea();
    if (!this.#map) return;
    this.#area = this.#L.featureGroup([this.#L.polygon(points, {
      color: this.#colours.main, weight: 2, fillOpacity: 0.08, interactive: false,
    })]).addTo(this.#map);
  }

  /** Take away the mark of a point or an area. */
  clearArea() {
    this.#area?.remove();
    this.#area = null;
  }

  /** The ids of the cameras that are chosen. */
  choose(/** @type {Iterable<string>} */ ids) {
    this.#chosen = new Set(ids);
    this.#cameras?.repaint();
  }

  /** The camera that the reader points at in the list; null for none. */
  light(/** @type {string | null} */ id) {
    if (id === this.#lit) return;
    this.#lit = id;
    this.#cameras?.repaint();
  }

  /** What the map shows, as `[south, west, north, east]`; null if there is no map. */
  get box() {
    if (!this.#map) return null;
    const found = this.#map.getBounds();
    return [found.getSouth(), found.getWest(), found.getNorth(), found.getEast()].map((one) => Number(one.toFixed(5)));
  }

  /** Leaflet's own map, for pages that add layers of their own; null until `ready`. */
  get leaflet() {
    return this.#map;
  }
}

customElements.define("city-map", CityMap);
