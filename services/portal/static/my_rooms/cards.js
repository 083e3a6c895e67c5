// Keeps a prompt's card true: its dates, its title, its notes, and how many dates of its series have a room.
import { find } from "./elements.js";
import { showWhen } from "./times.js";
import { fill, WORDS } from "./words.js";

// A prompt's card stands for one date of a meeting, or for several on which the same room said no.
export const MOST_DATES = 10;
export const datesOf = (card) => [...card.querySelectorAll("[data-date]")];
export const idsOf = (card) => datesOf(card).map((date) => date.dataset.date);
export const cardOf = (id) => find("date", id)?.closest("[data-prompt]");
const chooseWords = (card) => datesOf(card).length > 1 ? WORDS.chooseForAll : WORDS.choose;
export const showShare = (card) => {
  const states = [...document.querySelectorAll(`[data-series="${CSS.escape(card.dataset.group)}"] [data-state]`)];
  const having = (state) => states.filter((badge) => badge.classList.contains(state)).length;
  const waiting = having("pending");
  const words = card.querySelector("[data-share]");
  if (!words) return;
  words.hidden = states.length < 2;
  const pending = waiting ? fill(waiting === 1 ? WORDS.share.pendingOne : WORDS.share.pendingMany, { pending: waiting }) : "";
  words.textContent = [fill(WORDS.share.accepted, { accepted: having("accepted"), dates: states.length }), pending].filter(Boolean).join(" ");
};
export const showShares = (series) => document.querySelectorAll(`[data-group="${CSS.escape(series)}"]:not(.closed)`).forEach(showShare);
export const entitle = (element, shape) => {
  const title = element.querySelector("[data-title]");
  title.classList.remove("loading");
  delete title.dataset.loading;
  title.textContent = shape.read ? shape.title || WORDS.untitled : `${WORDS.unread} ${WORDS.unreadWhy}`;
  element.querySelector("[data-unread]")?.remove();
  for (const open of element.querySelectorAll("[data-open]")) {
    open.hidden = !shape.link;
    if (shape.link) open.href = shape.link;
  }
};
export const showTimes = (element, shape, withDay) => {
  element.dataset.start = shape.start;
  element.dataset.end = shape.end;
  showWhen(element.querySelector("[data-when]"), new Date(shape.start), new Date(shape.end), withDay);
};
export const renew = (card) => {
  const [id] = idsOf(card);
  const many = datesOf(card).length > 1;
  card.dataset.prompt = id;
  card.dataset.start = datesOf(card)[0].dataset.start;
  card.querySelector("h3").id = `p-${id}`;
  card.setAttribute("aria-labelledby", `p-${id}`);
  card.querySelector("[data-choose]").href = `/prompts/${id}`;
  card.querySelector("[data-dismiss]").action = `/prompts/${id}/dismiss`;
  card.querySelector("[data-count]").textContent = many ? ` ${fill(WORDS.onDates, { count: datesOf(card).length })}` : "";
  card.querySelector("[data-there]").textContent = many ? ` ${WORDS.onTheseDates}` : "";
  setOpen(card, false);  // what was offered was for other dates
  showShare(card);
};
export const setOpen = (card, open) => {
  const button = card.querySelector("[data-choose]");
  card.querySelector("[data-panel]").hidden = !open;
  card.classList.toggle("unfolded", open);
  if (!open) card.querySelector("[data-move]").hidden = true;
  button.setAttribute("aria-expanded", String(open));
  button.textContent = open ? WORDS.notNow : chooseWords(card);
};
export const showNote = (card, text) => {
  const note = card.querySelector("[data-took]");
  note.hidden = false;
  note.textContent = text;
};
