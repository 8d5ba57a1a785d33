// What is served beside the scripts and is no file here: the texts, and the libraries from npm.

declare module "./words.id.js";
declare module "./words.en.js";
declare module "./hls.js";
declare module "./swagger-ui.js";
declare module "./leaflet.js";
