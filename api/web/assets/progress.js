// How far long work is: a bar, bytes, rate, and the time left. What changes all the time is not read aloud;
// a screen reader hears each further quarter.

import { make } from "./dom.js";
import { lengthText, sizeOf } from "./amounts.js";
import { say } from "./words.js";

const WINDOW = 5000;

/**
 * A progress bar. `show` gives the bytes so far, `end` and `fail` replace the numbers by a sentence.
 * @param {string} label what goes on
 * @returns {{element: HTMLElement, show: (done: number, total: number) => void, end: (text: string) => void,
 *   fail: (text: string) => void}}
 */
export function progressBar(label) {
  const bar = /** @type {HTMLProgressElement} */ (make("progress", { max: 1, value: 0, "aria-label": label }));
  const text = make("p", { class: "progress-text", "aria-hidden": "true" }, label);
  const heard = make("p", { class: "unseen", role: "status" });
  const element = make("div", { class: "progress" }, bar, text, heard);
  /** @type {[number, number][]} */
  let seen = [];
  let quarter = 0;

  /** Bytes a millisecond over the last seconds. */
  function rate(now, done) {
    if (seen.length && done < seen[seen.length - 1][1]) seen = []; // begun anew
    seen.push([now, done]);
    while (seen.length > 2 && now - seen[0][0] > WINDOW) seen.shift();
    const [at, before] = seen[0];
    return now > at ? (done - before) / (now - at) : 0;
  }

  /** Nothing moves any more: a sentence instead of numbers. */
  function settle(sentence, state) {
    element.dataset.state = state;
    text.textContent = "";
    heard.className = "progress-text";
    heard.textContent = sentence;
  }

  return {
    element,
    show(done, total) {
      delete element.dataset.state;
      heard.className = "unseen";
      bar.value = total ? Math.min(1, done / total) : 0;
      const speed = rate(performance.now(), done);
      const left = speed > 0 ? say("progress.left", { time: lengthText((total - done) / speed) }) : "";
      text.textContent = [
        `${label} ${say("progress.of", { done: sizeOf(done), total: sizeOf(total) })}`,
        speed > 0 ? say("progress.rate", { size: sizeOf(speed * 1000) }) : "", done < total ? left : "",
      ].filter(Boolean).join(" · ");
      const reached = total ? Math.floor((done / total) * 4) : 0;
      if (reached !== quarter) heard.textContent = say("progress.percent", { percent: reached * 25 });
      quarter = reached;
    },
    end(sentence) {
      bar.value = 1;
      settle(sentence, "ended");
    },
    fail(sentence) {
      settle(sentence, "failed");
    },
  };
}
