// Layers of the map that are painted on one canvas each, with some room around, so that dragging shows no edge
// and moves only what is painted already.

const ROOM = 0.3;
const MOST_RATIO = 2;

/**
 * A class of Leaflet layers: `new Layer(paint, pane)`. `paint` is called with the canvas's context, whose
 * coordinates are the map's layer points, and the painted part of them.
 * @param {any} L Leaflet
 */
export function canvasLayerOf(L) {
  return L.Layer.extend({
    initialize(paint, pane) {
      this._paint = paint;
      this.options = { pane };
    },

    onAdd(map) {
      this._map = map;
      this._canvas = L.DomUtil.create("canvas", "map-canvas", this.getPane());
      this.repaint();
    },

    onRemove() {
      this._canvas.remove();
    },

    getEvents() {
      return { moveend: this.repaint, zoomend: this.repaint, viewreset: this.repaint, resize: this.repaint, move: this._moved };
    },

    /** Paint all anew, around what is shown now. */
    repaint() {
      const map = this._map;
      const size = map.getSize();
      if (!size.x || !size.y) return;
      const room = size.multiplyBy(ROOM).round();
      const corner = map.containerPointToLayerPoint(room.multiplyBy(-1)).round();
      const wide = size.add(room.multiplyBy(2));
      const ratio = Math.min(devicePixelRatio || 1, MOST_RATIO);
      const canvas = this._canvas;
      if (canvas.width !== wide.x * ratio || canvas.height !== wide.y * ratio) {
        canvas.width = wide.x * ratio;
        canvas.height = wide.y * ratio;
        canvas.style.width = `${wide.x}px`;
        canvas.style.height = `${wide.y}px`;
      }
      L.DomUtil.setPosition(canvas, corner);
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.setTransform(ratio, 0, 0, ratio, -corner.x * ratio, -corner.y * ratio);
      this._room = room;
      this._shown = map.containerPointToLayerPoint([0, 0]);
      this._paint(context, {
        left: corner.x, top: corner.y, right: corner.x + wide.x, bottom: corner.y + wide.y,
        inner: L.bounds(this._shown, this._shown.add(size)),
      });
    },

    /** While it is dragged: paint anew only when the room is used up. */
    _moved() {
      if (!this._shown) return;
      const away = this._map.containerPointToLayerPoint([0, 0]).subtract(this._shown);
      if (Math.abs(away.x) > this._room.x * 0.9 || Math.abs(away.y) > this._room.y * 0.9) this.repaint();
    },
  });
}

/** Metres of one pixel at a latitude. */
export function metresPerPixel(/** @type {number} */ lat, /** @type {number} */ zoom) {
  return (40075016.686 * Math.cos((lat * Math.PI) / 180)) / 2 ** (zoom + 8);
}
