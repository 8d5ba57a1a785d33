// The sign-in page: the provider's button, if there is a provider, and the form of local accounts.

import { at } from "./dom.js";
import { say, sayProblem, switchLanguage } from "./words.js";

const base = document.documentElement.dataset.base;

/** The path to return to afterwards: one of ours, never another host's. */
function following() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  if (!/^\/(?![/\\])/.test(wanted)) return "/";
  try {
    const address = new URL(base + wanted, location.origin);
    return address.origin === location.origin ? wanted : "/";
  } catch {
    return "/";
  }
}

/** One of the two forms: its URL, its body, and a check before it is sent. */
function serve(form, problem, button, path, bodyOf, wrong = () => "") {
  const tell = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell(wrong());
    if (!problem.hidden) return;
    const usual = button.textContent;
    button.disabled = true;
    button.textContent = say("sign_in.busy");
    try {
      const answer = await fetch(base + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Saksi-Request": "1" },
        body: JSON.stringify(bodyOf()),
      });
      if (answer.ok) {
        location.replace(base + following());
        return;
      }
      tell(sayProblem(await answer.json()));
    } catch {
      tell(say("error.network"));
    }
    for (const field of form.querySelectorAll("[type=password]")) field.value = "";
    form.querySelector("[type=password]").focus();
    button.disabled = false;
    button.textContent = usual;
  });
  button.disabled = false; // before this, the browser itself would have sent the form, in the URL
}

function turn() {
  const invited = at("invited").hidden;
  at("invited").hidden = !invited;
  at("local").hidden = invited;
  const { dataset, textContent } = at("switch");
  at("switch").textContent = dataset.other;
  dataset.other = textContent;
  at(invited ? "code" : "name").focus();
}

const provider = at("provider-link");
if (provider) provider.href = `${base}/auth/login?next=${encodeURIComponent(following())}`;
serve(at("local"), at("problem"), at("go"), "/auth/local",
  () => ({ name: at("name").value.trim(), password: at("password").value }));
serve(at("invited"), at("invited-problem"), at("accept"), "/auth/invitation",
  () => ({ code: at("code").value.trim(), password: at("chosen").value }),
  () => (at("chosen").value === at("again").value ? "" : say("invited.differ")));
at("language").addEventListener("click", () => switchLanguage());
at("switch").addEventListener("click", turn);
if (!provider) at("name").focus();
