// Keeps the list of open prompts: folded beyond so many, counted in the title of the page.
import { byId } from "./elements.js";
import { fill, WORDS } from "./words.js";

export const MOST_UNFOLDED = Number(byId("prompt-list").dataset.inFull);
// So many cards are shown one by one; one line opens the others.
const fold = () => {
  const list = byId("prompt-list");
  const more = byId("folded-list");
  const singly = Number(list.dataset.singly);
  while (list.children.length > singly) more.prepend(list.lastElementChild);
  while (list.children.length < singly && more.firstElementChild) list.append(more.firstElementChild);
  byId("folded").hidden = !more.children.length;
  byId("folded-words").textContent = fill(WORDS.folded, { count: more.children.length });
};
// Others that show the number of open prompts hear it here.
const listeners = [];
export const whenCounted = (act) => listeners.push(act);
export const count = () => {
  fold();
  const open = document.querySelectorAll("[data-prompt]:not(.closed)").length;
  byId("prompts").hidden = document.querySelectorAll("#prompt-list > *").length === 0;
  byId("prompts").classList.toggle("rows", open > MOST_UNFOLDED);
  for (const act of listeners) act(open);
  document.title = `${open ? `(${open}) ` : ""}${WORDS.page} · roomsync`;
};
