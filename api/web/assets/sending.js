// Sending a file with its progress. `fetch` does not tell how much of a body has left; XMLHttpRequest does.

import { BASE, signInAgain } from "./calls.js";

/**
 * POST a file as it is. A problem (RFC 9457) is thrown as received, as by `calls.js`.
 * @param {string} path
 * @param {Blob} file
 * @param {(done: number, total: number) => void} onProgress
 * @returns {Promise<any>} the JSON of the answer
 */
export function sendFile(path, file, onProgress) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", BASE + path);
    request.setRequestHeader("Saksi-Request", "1");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => onProgress(Math.min(loaded, file.size), file.size);
    request.onerror = () => fail({ code: "network" });
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return done(request.response);
      if (request.status === 401) signInAgain();
      return fail(request.response ?? { code: `http_${request.status}` });
    };
    request.send(file);
  });
}
