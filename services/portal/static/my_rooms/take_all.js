// Takes a room for every open card, one after the other.
import { datesOf } from "./cards.js";
import { choicesOf } from "./choices.js";
import { byId } from "./elements.js";
import { count, MOST_UNFOLDED, whenCounted } from "./prompt_list.js";
import { take } from "./takes.js";
import { HOLD_MS, isHeld } from "./undo.js";
import { fill, WORDS } from "./words.js";

// Many at once: each card in its turn gets the nearest room that no earlier one of this round takes at the same time.
const MOST_AT_ONCE = 30;
let allUnderWay = false;
const openCards = () => [...document.querySelectorAll("[data-prompt]:not(.closed)")].filter((card) => card.isConnected && !isHeld(card) && !card.dataset.taken);
const spans = (card) => datesOf(card).map((date) => [date.dataset.start, date.dataset.end]);
const collides = (card, choice, used) => used.some((one) => one.room === choice.roomId && spans(card).some(([start, end]) => start < one.end && end > one.start));
const takeNext = async (card, used) => {
  const found = await choicesOf(card);
  const choice = found.choices.find((each) => !collides(card, each, used));
  if (!choice) return false;
  used.push(...spans(card).map(([start, end]) => ({ room: choice.roomId, start, end })));
  return take(card, choice, crypto.randomUUID());
};
const takeAll = async (cards) => {
  const used = [];
  const without = [];
  let asked = 0;
  for (const card of cards) {
    if (!card.isConnected || card.classList.contains("closed")) continue;
    if (await takeNext(card, used).catch(() => false)) asked += 1;
    else without.push(card.querySelector("[data-title]").textContent);
    sayOfAll([fill(WORDS.tookSome, { asked, count: cards.length }), without.length ? fill(WORDS.couldNot, { titles: without.join(", ") }) : ""].filter(Boolean).join(" "));
  }
  allUnderWay = false;
  count();
};
const sayOfAll = (text) => { byId("take-all").querySelector("[data-all-words]").textContent = text; };
const offerAll = (open) => {
  const part = byId("take-all");
  if (!part) return;
  const words = part.querySelector("[data-all-words]");
  const button = part.querySelector("[data-take-all]");
  part.hidden = open <= MOST_UNFOLDED && !words.textContent;
  button.hidden = allUnderWay || open <= MOST_UNFOLDED;
  button.textContent = fill(WORDS.takeAll, { count: Math.min(open, MOST_AT_ONCE) });
};
const holdAll = () => {
  const cards = openCards().slice(0, MOST_AT_ONCE);
  const undo = byId("take-all").querySelector("[data-undo-all]");
  allUnderWay = true;
  undo.hidden = false;
  sayOfAll(fill(WORDS.takingAll, { count: cards.length }));
  count();
  undo.focus();
  const timer = setTimeout(() => { undo.hidden = true; takeAll(cards); }, HOLD_MS);
  undo.onclick = () => {
    clearTimeout(timer);
    undo.hidden = true;
    allUnderWay = false;
    sayOfAll(WORDS.notAsked);
    count();
    byId("take-all").querySelector("[data-take-all]").focus();
  };
};
byId("take-all")?.querySelector("[data-take-all]").addEventListener("click", holdAll);
whenCounted(offerAll);
