// Asking the server. A problem (RFC 9457) is thrown as it is; who is not signed in is sent to do so.

/** Where the installation begins: what stands before our own path. */
export const BASE = location.pathname.replace(/\/tampilan$/, "");

/** Go and sign in, and come back here. */
export function signInAgain() {
  const here = location.pathname.slice(BASE.length) + location.search;
  location.replace(`${BASE}/masuk?next=${encodeURIComponent(here)}`);
}

/** An address that the server gave, from our own root on, whatever the installation is called there. */
export function local(address) {
  const found = new URL(address, location.origin);
  return found.pathname + found.search;
}

async function answerOf(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : { code: "network" };
  }
  if (answer.ok) return answer;
  if (answer.status === 401) signInAgain();
  let problem = { code: `http_${answer.status}` };
  try {
    problem = await answer.json();
  } catch {
    // A proxy's page, perhaps: its status must do.
  }
  throw problem;
}

/** The JSON at one of our paths, with a query. */
export async function ask(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return (await answerOf(BASE + path + (text ? `?${text}` : ""), {})).json();
}

/** A picture of a camera, decoded, and the instant that it shows as the server writes it. */
export async function askPicture(camera, query, signal) {
  const path = `${BASE}/v1/cameras/${encodeURIComponent(camera)}/frame.jpg`;
  const answer = await answerOf(`${path}?${new URLSearchParams(query)}`, { signal });
  return { picture: await createImageBitmap(await answer.blob()), at: answer.headers.get("Saksi-Frame-At") };
}

/** Change something. */
export async function send(path, body) {
  const headers = { "Saksi-Request": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  return (await answerOf(BASE + path, { method: "POST", headers, body: text })).json();
}
