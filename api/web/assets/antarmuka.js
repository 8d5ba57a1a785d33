// The page that shows the API: Swagger UI over this installation's own description. It only reads:
// a change is made by a program with a token of its own, or in the pages for people.

import { say } from "./words.js";

const at = (id) => document.getElementById(id);
const base = document.documentElement.dataset.base;

if (typeof window.SwaggerUIBundle === "function") {
  window.SwaggerUIBundle({
    url: `${base}/openapi.json`,
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "list",
    supportedSubmitMethods: ["get", "head"],
    validatorUrl: null,
  });
} else {
  at("problem").textContent = say("explorer.missing");
  at("problem").hidden = false;
}
