// Offers the rooms that a card may take, with filters.
import { idsOf, setOpen } from "./cards.js";
import { byId, clone } from "./elements.js";
import { problem } from "./requests.js";
import { showWhen } from "./times.js";
import { hold } from "./undo.js";
import { fill, WORDS } from "./words.js";

export const where = (choice) => [choice.building, choice.floor && fill(WORDS.floor, choice)].filter(Boolean).join(", ");
export const choicesOf = async (card) => {
  const [id, ...also] = idsOf(card);
  const answer = await fetch(`/v1/me/prompts/${id}/choices?${new URLSearchParams(also.map((each) => ["also", each]))}`);
  if (!answer.ok) throw new Error(await problem(answer));
  const found = await answer.json();
  for (const choice of found.choices) choice.wholeSeries = found.wholeSeries;
  return found;
};
const equipped = (choice) => [...choice.equipment, ...(choice.accessible ? [WORDS.wheelchair] : [])];
const list = (card, parts, choices, most) => {
  const items = choices.slice(0, most).map((choice) => {
    const item = clone("choice-template");
    item.querySelector("strong").textContent = choice.name;
    const [why, spot] = item.querySelectorAll("span");
    why.textContent = choice.reasons.join(" · ");
    spot.textContent = [where(choice), ...equipped(choice)].filter(Boolean).join(" · ");
    const key = crypto.randomUUID();
    item.querySelector("button")?.addEventListener("click", () => hold(card, choice, key));  // none where rooms are not taken from here
    return item;
  });
  parts.querySelector("[data-choices]").replaceChildren(...items);
  parts.querySelector("[data-none]").hidden = items.length > 0;
};
const showAll = (card, panel, choices) => {
  const filters = Object.fromEntries([...panel.querySelectorAll("[data-filter]")].map((field) => [field.dataset.filter, field]));
  for (const name of ["building", "floor"]) {
    const values = [...new Set(choices.map((choice) => choice[name]).filter(Boolean))].sort();
    filters[name].append(...values.map((value) => new Option(value, value)));
  }
  filters.equipment.append(...[...new Set(choices.flatMap(equipped))].sort().map((value) => new Option(value, value)));
  const show = () => list(card, panel, choices.filter((choice) =>
    ["building", "floor"].every((name) => !filters[name].value || choice[name] === filters[name].value)
    && (!filters.equipment.value || equipped(choice).includes(filters.equipment.value))
    && (choice.capacity ?? 0) >= Number(filters.capacity.value)), choices.length);
  for (const field of Object.values(filters)) field.addEventListener("input", show);
  panel.querySelector("[data-filters]").hidden = false;
  panel.querySelector("[data-more-row]").hidden = true;
  show();
  filters.building.focus();
};
const line = (className, text) => Object.assign(document.createElement("p"), { className, textContent: text });
// Why there is no room, and at which times near it there is one: the meeting is moved in its own calendar.
const withoutRooms = (card, found) => {
  const why = line("notice", found.words);
  if (!found.times?.length) return [why];
  const list = Object.assign(document.createElement("ul"), { className: "times" });
  for (const each of found.times) {
    const item = clone("time-template");
    showWhen(item.querySelector("[data-time]"), new Date(each.start), new Date(each.end), true);
    item.querySelector("bdi").textContent = each.name;
    item.querySelector(".hint").textContent = each.reasons.join(" · ");
    list.append(item);
  }
  card.querySelector("[data-move]").hidden = false;
  return [why, line("hint", WORDS.times), list];
};
export const choose = async (card) => {
  const panel = card.querySelector("[data-panel]");
  if (!panel.hidden) return setOpen(card, false);
  setOpen(card, true);
  panel.replaceChildren(line("hint", WORDS.looking));
  try {
    const found = await choicesOf(card);
    if (found.choices.length === 0) return panel.replaceChildren(...withoutRooms(card, found));
    const parts = byId("choices-template").content.cloneNode(true);
    parts.querySelector("[data-label]").textContent = [WORDS.choices, card.querySelector("[data-suggest]") && found.mails.words].filter(Boolean).join(" ");
    list(card, parts, found.choices, 3);
    const more = parts.querySelector("[data-more]");
    parts.querySelector("[data-more-row]").hidden = found.choices.length <= 3;
    more.textContent = fill(WORDS.more, { count: found.choices.length });
    more.addEventListener("click", () => showAll(card, panel, found.choices));
    panel.replaceChildren(parts);
    (panel.querySelector("button") || card.querySelector("[data-choose]")).focus();
  } catch (error) {
    panel.replaceChildren(line("notice", error.message));
  }
};
