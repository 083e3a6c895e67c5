// Shows on the cards what the stream says of prompts: opened, closed, gone.
import { cardOf, datesOf, entitle, MOST_DATES, renew, showShare, showTimes } from "./cards.js";
import { byId, clone, find, say } from "./elements.js";
import { onRoom } from "./meetings.js";
import { count } from "./prompt_list.js";
import { suggest } from "./suggestions.js";
import { countDown } from "./times.js";
import { fill, WORDS } from "./words.js";

export const onPrompt = (shape) => {
  let date = find("date", shape.id);
  let card = date?.closest("[data-prompt]");
  if (!card) {
    const room = shape.roomName || WORDS.room;
    card = [...document.querySelectorAll(`[data-group="${CSS.escape(shape.series.id)}"]:not(.closed)`)].find((other) => datesOf(other).length < MOST_DATES);
    say(fill(card ? WORDS.saidNoToo : WORDS.saidNo, { room }));
    if (card) {
      date = datesOf(card)[0].cloneNode(true);
    } else {
      card = clone("prompt-template");
      card.dataset.group = shape.series.id;
      [date] = datesOf(card);
      const after = [...document.querySelectorAll("[data-prompt]")].find((other) => other.dataset.start > shape.start);
      const last = byId("folded-list").children.length ? byId("folded-list") : byId("prompt-list");
      (after ? after.parentNode : last).insertBefore(card, after || null);
    }
    date.dataset.date = shape.id;
    date.dataset.occurrence = shape.occurrenceRef;
    showTimes(date, shape, true);
    const later = datesOf(card).find((other) => other !== date && other.dataset.start > shape.start);
    card.querySelector("[data-dates]").insertBefore(date, later || null);
    renew(card);
  }
  card.querySelector(".said-no [data-name]").textContent = shape.roomName || WORDS.room;
  card.querySelector("[data-seats]").textContent = fill(WORDS.seats, { people: shape.people });
  entitle(card, shape);
  showTimes(date, shape, true);
  showShare(card);
  countDown();
  count();
  suggest(card);
};
export const onClosed = (shape) => {
  const card = cardOf(shape.id);
  if (!card || card.classList.contains("closed")) return;
  say(shape.words);
  if (datesOf(card).length > 1) {
    find("date", shape.id).remove();
    return renew(card);
  }
  const focused = card.contains(document.activeElement);
  card.classList.add("closed");
  for (const part of card.querySelectorAll(".actions, .panel, .hint, .suggest, .undo")) part.remove();
  const note = card.querySelector("[data-took]");
  note.hidden = false;
  note.textContent = shape.words;
  if (focused) byId("prompts-heading").focus();
  count();
  setTimeout(() => { card.remove(); count(); }, 10000);
};
export const onSnapshot = (held) => {
  for (const line of document.querySelectorAll("[data-room]")) if (line.dataset.room && !held.rooms.includes(line.dataset.room)) onRoom({ id: line.dataset.room, state: "gone" });
  for (const card of document.querySelectorAll("[data-prompt]:not(.closed)")) {
    const stale = datesOf(card).filter((date) => !held.prompts.includes(date.dataset.date));
    if (stale.length === datesOf(card).length) card.remove();
    else if (stale.length) { stale.forEach((date) => date.remove()); renew(card); }
  }
  byId("rebuilding").hidden = true;
  count();
};
