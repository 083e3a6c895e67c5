// Offers the rooms that a card may take, with filters.
import { idsOf, setOpen } from "./cards.js";
import { byId, clone, say } from "./elements.js";
import { problem } from "./requests.js";
import { showWhen } from "./times.js";
import { hold } from "./undo.js";
import { fill, WORDS } from "./words.js";

export const where = (choice) => [choice.building, choice.floor && fill(WORDS.floor, choice), choice.section && fill(WORDS.section, choice)].filter(Boolean).join(", ");
export const choicesOf = async (card, filters = []) => {
  const [id, ...also] = idsOf(card);
  const asked = [...also.map((each) => ["also", each]), ...filters].filter(([, value]) => value);
  const answer = await fetch(`/v1/me/prompts/${id}/choices?${new URLSearchParams(asked)}`);
  if (!answer.ok) throw new Error(await problem(answer));
  const found = await answer.json();
  for (const choice of found.choices) choice.wholeSeries = found.wholeSeries;
  return found;
};
const equipped = (choice) => [...choice.equipment, ...(choice.accessible ? [WORDS.wheelchair] : [])];
const list = (card, panel, choices) => {
  const items = choices.map((choice) => {
    const item = clone("choice-template");
    item.querySelector("strong").textContent = choice.name;
    const [why, spot, equipment, told] = item.querySelectorAll("span");
    why.textContent = choice.reasons.join(" · ");
    spot.textContent = where(choice);
    equipment.textContent = equipped(choice).join(" · ");
    told.textContent = choice.description ?? "";
    const key = crypto.randomUUID();
    item.querySelector("button")?.addEventListener("click", () => hold(card, choice, key));  // none where rooms are not taken from here
    return item;
  });
  panel.querySelector("[data-choices]").replaceChildren(...items);
};
const setOptions = (field, values) => {
  const now = field.value;
  const left = now && !values.includes(now) ? [...values, now] : values;
  field.replaceChildren(field.options[0], ...left.map((value) => new Option(value, value)));
  field.value = now;
};
// What can be asked of a room; what is asked already stays, whatever the rooms have by now.
const showOptions = (form, options) => {
  setOptions(form.elements.building, options.buildings);
  setOptions(form.elements.floor, options.floors);
  const things = form.querySelector("[data-equipment]");
  const shown = [...things.querySelectorAll("input")].map((field) => field.value);
  for (const name of options.equipment.filter((each) => !shown.includes(each))) {
    const thing = clone("thing-template");
    thing.querySelector("input").value = name;
    thing.querySelector("bdi").textContent = name;
    things.append(thing);
  }
  things.hidden = things.querySelector("input") === null;
};
const setFilters = (form, query) => {
  const asked = new URLSearchParams(query);
  for (const name of ["building", "floor", "seats"]) form.elements[name].value = asked.get(name) ?? "";
  for (const field of form.querySelectorAll("[name=equipment]")) field.checked = asked.getAll("equipment").includes(field.value);
  form.elements.accessible.checked = asked.has("accessible");
};
const show = (card, panel, found, most) => {
  const form = panel.querySelector("[data-filters] form");
  showOptions(form, found.options);
  panel.querySelector("[data-filters]").hidden = found.empty === "no-rooms";
  list(card, panel, found.choices.slice(0, most));
  panel.querySelector("[data-label]").hidden = found.choices.length === 0;
  panel.querySelector("[data-more-row]").hidden = found.choices.length <= most;
  const more = panel.querySelector("[data-more]");
  more.textContent = fill(WORDS.more, { count: found.choices.length });
  more.onclick = () => {
    show(card, panel, found, found.choices.length);
    panel.querySelectorAll("[data-choices] button")[most]?.focus();
  };
  panel.querySelector("[data-none]").replaceChildren(...(found.choices.length ? [] : withoutRooms(card, panel, found)));
  card.querySelector("[data-move]").hidden = !found.times?.length;
};
let turns = 0;
const filter = async (card, panel) => {
  const turn = turns += 1;  // an answer that was overtaken by a later question is not shown
  const form = panel.querySelector("[data-filters] form");
  try {
    const found = await choicesOf(card, new FormData(form));
    if (turn !== turns) return;
    show(card, panel, found, found.choices.length);
    say([found.words ?? fill(WORDS.freeRooms, { count: found.choices.length }), ...found.wider.map((each) => each.words)].join(" "));
  } catch (error) {
    if (turn === turns) panel.querySelector("[data-none]").replaceChildren(line("notice", error.message));
  }
};
const listen = (card, panel) => {
  const form = panel.querySelector("[data-filters] form");
  form.addEventListener("change", () => filter(card, panel));
  form.addEventListener("submit", (event) => { event.preventDefault(); filter(card, panel); });
  form.querySelector("[data-no-filter]").addEventListener("click", (event) => {
    event.preventDefault();
    setFilters(form, "");
    filter(card, panel);
  });
};
const line = (className, text) => Object.assign(document.createElement("p"), { className, textContent: text });
// What asking less would show.
const wider = (card, panel, found) => {
  const row = line("quick", "");
  row.append(...found.wider.map((each) => {
    const button = clone("wider-template");
    button.textContent = each.words;
    button.addEventListener("click", () => {
      setFilters(panel.querySelector("[data-filters] form"), each.query);
      panel.querySelector("[data-filters] summary").focus();
      filter(card, panel);
    });
    return button;
  }));
  return row;
};
// Why there is no room, and at which times near it there is one: the meeting is moved in its own calendar.
const withoutRooms = (card, panel, found) => {
  const why = [line("notice", found.words), ...(found.wider.length ? [wider(card, panel, found)] : [])];
  if (!found.times?.length) return why;
  const list = Object.assign(document.createElement("ul"), { className: "times" });
  for (const each of found.times) {
    const item = clone("time-template");
    showWhen(item.querySelector("[data-time]"), new Date(each.start), new Date(each.end), true);
    item.querySelector("bdi").textContent = each.name;
    item.querySelector(".hint").textContent = each.reasons.join(" · ");
    list.append(item);
  }
  return [...why, line("hint", WORDS.times), list];
};
export const choose = async (card) => {
  const panel = card.querySelector("[data-panel]");
  if (!panel.hidden) return setOpen(card, false);
  setOpen(card, true);
  panel.replaceChildren(line("hint", WORDS.looking));
  try {
    const found = await choicesOf(card);
    const parts = byId("choices-template").content.cloneNode(true);
    parts.querySelector("[data-label]").textContent = [WORDS.choices, card.querySelector("[data-suggest]") && found.mails.words].filter(Boolean).join(" ");
    panel.replaceChildren(parts);
    show(card, panel, found, 3);
    listen(card, panel);
    (panel.querySelector("[data-choices] button") || panel.querySelector("[data-filters] summary")).focus();
  } catch (error) {
    panel.replaceChildren(line("notice", error.message));
  }
};
