// What somebody has written and not sent yet, kept in this browser for this account alone.

const PREFIX = "saksi.draft.";

/**
 * The draft of an account; null if there is none, or this browser keeps nothing.
 * @param {string} account
 * @returns {Record<string, any> | null}
 */
export function draftOf(account) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + account) ?? "null");
  } catch {
    return null;
  }
}

/** Keep a draft, or with null forget it. Drafts of other accounts in this browser are forgotten too. */
export function keepDraft(account, draft) {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && (name !== PREFIX + account || draft === null)) localStorage.removeItem(name);
    }
    if (draft) localStorage.setItem(PREFIX + account, JSON.stringify(draft));
  } catch {
    // A browser that keeps nothing: the form works without drafts.
  }
}
