// Holds back what changes a meeting while it can still be undone.
import { showNote } from "./cards.js";
import { take } from "./takes.js";
import { fill, WORDS } from "./words.js";

// Nothing is sent for ten seconds: a change of the meeting is mailed to everybody invited, and no second mail takes that back.
export const HOLD_MS = 10000;
const held = new Map();
export const isHeld = (card) => held.has(card);
export const hold = (card, choice, key) => {
  if (held.has(card)) return;
  const undo = card.querySelector("[data-undo]");
  const buttons = [...card.querySelectorAll(".panel button, .suggest button, .actions button, .actions .button")];
  const end = () => {
    clearTimeout(timer);
    held.delete(card);
    undo.hidden = true;
  };
  const ask = () => { end(); return take(card, choice, key); };
  const timer = setTimeout(() => {
    const focused = undo.contains(document.activeElement);
    ask();
    if (focused) card.querySelector("h3").focus();
  }, HOLD_MS);
  held.set(card, ask);
  for (const button of buttons) button.inert = true;
  showNote(card, fill(WORDS.holding, { room: choice.name }));
  undo.hidden = false;
  undo.querySelector("[data-undo-take]").onclick = () => {
    end();
    for (const button of buttons) button.inert = false;
    showNote(card, WORDS.notAsked);
    (card.querySelector(".suggest:not([hidden]) button") || card.querySelector("[data-choose]")).focus();
  };
  undo.querySelector("[data-ask-now]").onclick = () => { ask(); card.querySelector("h3").focus(); };
  undo.querySelector("[data-undo-take]").focus();
};
addEventListener("pagehide", () => { for (const ask of [...held.values()]) ask(); });  // who leaves has not undone it
