// The page of one request: reads it, and tells its parts.

import { read } from "./calls.js";
import { parse, rangeOf } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, tell } from "./dom.js";
import { cameraNames } from "./queue-row.js";
import { sayProblem } from "./words.js";

const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));

async function load() {
  try {
    const { value, tag } = await read(`/v1/requests/${encodeURIComponent(id)}`);
    const cameras = await allCameras();
    at("title").textContent = `${cameraNames(value.cameras, cameras)} · ${rangeOf(parse(value.from), parse(value.to))}`;
    document.title = `${at("title").textContent} · Saksi`;
    document.dispatchEvent(new CustomEvent("request", { detail: { value, tag } }));
  } catch (problem) {
    if (!problem?.code) throw problem;
    tell(sayProblem(problem));
  }
}

document.addEventListener("reread", (event) => {
  event.preventDefault();
  void load();
});
void load();
