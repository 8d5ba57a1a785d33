// The page that shows the API: Swagger UI over this installation's own description. It only reads:
// a change is made by a program with a token of its own, or in the pages for people.

import { tell } from "./dom.js";
import { say } from "./words.js";

const base = document.documentElement.dataset.base;

const show = globalThis["SwaggerUIBundle"];
if (typeof show === "function") {
  show({
    url: `${base}/openapi.json`,
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "list",
    supportedSubmitMethods: ["get", "head"],
    validatorUrl: null,
  });
} else {
  tell(say("explorer.missing"));
}
