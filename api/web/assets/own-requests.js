// What an officer's newest request says: who they are, and the case they were working on.

import { ask } from "./calls.js";

const LOOKED_AT = 3;

/**
 * The newest request that this account filed, and the newest of its agency; null where there is none.
 * @param {string} account such as `user:dewi`
 * @returns {Promise<{own: any, agency: any}>}
 */
export async function newestOf(account) {
  const { requests } = await ask("/v1/requests", { limit: LOOKED_AT });
  let agency = null;
  for (const { id } of requests) {
    const request = await ask(`/v1/requests/${id}`);
    if (request.requester.person === account) return { own: request, agency: agency ?? request };
    agency ??= request;
  }
  return { own: null, agency };
}
