// The result of a test follows by itself; without this script the page reloads every two seconds.
import { pageState } from "./page_state.js";

const EVERY_MS = 1000;
const WAIT_MS = 10000;

function offerCopy() {
  const button = document.querySelector("[data-copy]");
  if (!button) return;
  button.hidden = false;
  const texts = JSON.parse(button.dataset.texts);
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      document.getElementById("copied").textContent = texts.copied;
    } catch {
      document.getElementById("copied").textContent = texts.selected;
    }
  });
}

async function follow() {
  const run = document.getElementById("run");
  if (!run || run.dataset.underWay !== "yes") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual", signal: AbortSignal.timeout(WAIT_MS) });
    if (!answer.ok) await pageState.check();
    else {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      show(run, fresh);
    }
  } catch {
    await pageState.check();  // the service is away for a moment: ask again
  }
  setTimeout(follow, EVERY_MS);
}

function show(run, fresh) {
  const next = fresh.getElementById("run");
  if (!next || next.innerHTML === run.innerHTML) return;
  run.replaceWith(document.adoptNode(next));
  document.title = fresh.title;
  const heading = next.querySelector("h1");
  const now = next.querySelector(".steps .running .step-words");
  document.getElementById("said").textContent = next.dataset.underWay === "yes" && now ? now.textContent : heading.textContent;
  if (next.dataset.underWay !== "yes") document.querySelector("nav.about")?.replaceWith(document.adoptNode(fresh.querySelector("nav.about")));
  offerCopy();
}

offerCopy();
follow();
