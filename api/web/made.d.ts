// What is served beside the scripts and is no file here: the libraries from npm.

declare module "*hls.js";
declare module "*leaflet.js";
