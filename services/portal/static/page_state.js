// Says at the top of a page that it is no longer live: signed out, not allowed any more, or cut off. Other scripts tell it what
// they were answered; it finds out by itself how things stand, and takes the words away once they are right again.
export const pageState = (() => {
  const EVERY_MS = 3000;
  const SELDOM_MS = 15000;  // only somebody else can mend it
  const WAIT_MS = 5000;
  const banner = document.getElementById("page-state");
  const WORDS = banner ? JSON.parse(banner.dataset.texts) : {};
  let timer = 0;
  let signedOut = false;

  const show = (text, withSignIn) => {
    if (!banner) return;
    const link = banner.querySelector("a");
    link.hidden = !withSignIn;
    link.href = `/auth/login?next=${encodeURIComponent(location.pathname)}`;
    const words = banner.querySelector("[data-words]");
    if (words.textContent !== text) words.textContent = text;
    banner.hidden = false;
    document.body.classList.add("stale");
  };
  const clear = () => {
    clearTimeout(timer);
    timer = 0;
    if (!banner || banner.hidden) return;
    if (signedOut) return location.reload();  // another session has other tokens
    banner.hidden = true;
    document.body.classList.remove("stale");
  };
  const again = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(check, ms);
  };
  // What an answer means for the page; null for none at all. True: the page goes on.
  const judge = async (answer) => {
    if (answer?.ok) { clear(); return true; }
    if (!answer) show(WORDS.cutOff, false);
    else if (answer.status === 401 || answer.type === "opaqueredirect") { signedOut = true; show(WORDS.signedOut, true); }
    else if (answer.status >= 500 || answer.status === 429) show(WORDS.away, false);
    else {
      const found = await answer.json().catch(() => ({}));
      show([found.title || WORDS.forbidden, found.next].filter(Boolean).join(" "), false);
    }
    again(!answer || answer.status >= 429 ? EVERY_MS : SELDOM_MS);
    return false;
  };
  const check = async () => {
    const options = { headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(WAIT_MS) };
    return judge(await fetch(banner.dataset.check, options).catch(() => null));
  };

  addEventListener("offline", () => { if (banner) check(); });
  addEventListener("online", () => { if (banner) check(); });
  return {
    check: () => (banner ? check() : Promise.resolve(true)),
    // Of any other request: only what says something about the whole page counts.
    heard: (answer) => { if (banner && (!answer || answer.status === 401)) judge(answer); },
  };
})();
