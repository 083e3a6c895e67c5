// Drives the page from the control API alone: whatever it does, a test can do as well.
const API = "/sim/v1";
const POLL_MS = 1000;
const HISTORY_LENGTH = 200;
const HOUR_MS = 3600000;

const find = (id) => document.getElementById(id);
const state = { tenants: [], users: [], rooms: [], meetings: [], facts: [], drawn: "" };

async function call(method, path, body) {
  const answer = await fetch(API + path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || `${method} ${path}: ${answer.status}`);
  return told;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

async function attempt(act) {
  const trouble = find("trouble");
  try {
    await act();
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
}

const act = (work) => () => attempt(async () => { await work(); await refresh(); });

const when = (meeting) => {
  const start = new Date(meeting.startMs);
  const end = new Date(meeting.endMs);
  const day = start.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
  const hour = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return `${day}, ${hour(start)}–${hour(end)}`;
};

const SAID = { none: "has not answered", accepted: "accepted", declined: "declined", tentative: "tentative" };
const chip = (one) => element("span", { class: `chip ${one.answer}` }, `${one.name || one.address}: ${SAID[one.answer]}`);

function roomLine(meeting, room) {
  const line = element("div", { class: "chips" }, chip(room));
  const known = state.rooms.find((one) => one.id === room.id);
  const decide = (answer) => act(() => call("POST", `/rooms/${room.id}/answers`, { meeting: meeting.id, answer }));
  if (room.answer === "none" && known && ["manual", "never"].includes(known.rules.mode)) {
    line.append(
      element("button", { type: "button", class: "quiet", onclick: decide("accepted") }, `Approve ${room.name}`),
      element("button", { type: "button", class: "quiet", onclick: decide("declined") }, `Refuse ${room.name}`),
    );
  } else if (room.answer === "accepted") {
    line.append(element("button", { type: "button", class: "quiet", onclick: decide("released") }, `Take ${room.name} back`));
  }
  return line;
}

function meetingCard(meeting) {
  const organizer = state.users.find((user) => user.address === meeting.organizer);
  const move = (ms) => act(() => call("PATCH", `/meetings/${meeting.id}`, { start: meeting.startMs + ms, end: meeting.endMs + ms }));
  const dates = meeting.occurrences.filter((date) => !date.cancelled);
  const odd = dates.filter((date) => date.rooms.some((room) => room.answer === "declined"));
  const card = element("li", {},
    element("h3", {}, meeting.title),
    element("p", { class: "faint" }, `${when(meeting)} · ${organizer ? organizer.name : meeting.organizer}` +
      (dates.length ? ` · ${dates.length} dates, ${odd.length} without a room` : "")),
    ...meeting.rooms.map((room) => roomLine(meeting, room)));
  if (meeting.attendees.length) card.append(element("div", { class: "chips" }, ...meeting.attendees.map(chip)));
  card.append(element("div", { class: "chips" },
    element("button", { type: "button", class: "quiet", onclick: move(-HOUR_MS) }, "1 h earlier"),
    element("button", { type: "button", class: "quiet", onclick: move(HOUR_MS) }, "1 h later"),
    element("button", { type: "button", class: "quiet", onclick: act(() => call("DELETE", `/meetings/${meeting.id}`)) }, "Cancel")));
  return card;
}

function told(fact) {
  const meeting = state.meetings.find((one) => one.id === fact.meeting);
  const room = state.rooms.find((one) => one.id === fact.room);
  const words = [`${fact.kind.replace("-", " ")}: ${meeting ? meeting.title : fact.meeting}`];
  if (room) words.push(room.name);
  if (fact.attendee) words.push(fact.attendee);
  if (fact.occurrence) words.push(new Date(fact.occurrence).toLocaleDateString());
  if (fact.reason) words.push(fact.reason.replaceAll("-", " "));
  const line = element("span", {}, words.join(" · "), " ");
  if (fact.answer) line.append(element("span", { class: `chip ${fact.answer}` }, fact.answer));
  return element("li", {}, element("time", {}, new Date(fact.atMs).toLocaleTimeString()), line);
}

// Rebuilt only when the options differ: a redraw must not take the focus from somebody who is choosing.
function unchanged(box, options) {
  const shape = JSON.stringify(options);
  if (box.dataset.shape === shape) return true;
  box.dataset.shape = shape;
  return false;
}

function choices(box, name, options) {
  if (unchanged(box, options)) return;
  const kept = new Set([...box.querySelectorAll(":checked")].map((input) => input.value));
  box.replaceChildren(...options.map((one) => element("label", {},
    element("input", { type: "checkbox", name, value: one.address, checked: kept.has(one.address) }), one.label)));
}

function select(box, options) {
  if (unchanged(box, options)) return;
  const kept = box.value;
  box.replaceChildren(...options.map((one) => element("option", { value: one.id }, one.label)));
  if (options.some((one) => one.id === kept)) box.value = kept;
}

function drawForm() {
  select(find("tenant"), state.tenants.map((one) => ({ id: one.id, label: `${one.name} (${one.provider})` })));
  const tenant = find("tenant").value;
  const users = state.users.filter((one) => one.tenant === tenant);
  select(find("organizer"), users.map((one) => ({ id: one.id, label: one.name })));
  const organizer = find("organizer").value;
  choices(find("rooms"), "rooms", state.rooms.filter((one) => one.tenant === tenant)
    .map((one) => ({ address: one.address, label: `${one.name} · ${one.capacity}${one.rules.mode === "auto" ? "" : ` · ${one.rules.mode}`}` })));
  choices(find("guests"), "attendees", users.filter((one) => one.id !== organizer).map((one) => ({ address: one.address, label: one.name })));
}

function draw(nowMs) {
  find("clock").textContent = new Date(nowMs).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  const shape = JSON.stringify([state.tenants, state.users, state.rooms, state.meetings, state.facts.length]);
  if (shape === state.drawn) return;
  state.drawn = shape;
  find("empty").hidden = state.users.length > 0;
  find("booking").hidden = state.users.length === 0;
  drawForm();
  const coming = state.meetings.filter((one) => !one.cancelled).sort((a, b) => a.startMs - b.startMs);
  find("meetings").replaceChildren(...coming.map(meetingCard));
  find("no-meetings").hidden = coming.length > 0;
  find("history").replaceChildren(...state.facts.slice(-HISTORY_LENGTH).reverse().map(told));
}

async function refresh() {
  const last = state.facts.length ? state.facts[state.facts.length - 1].seq : 0;
  const [clock, history, ...lists] = await Promise.all([
    call("GET", "/clock"), call("GET", `/history?after=${last}`),
    ...["tenants", "users", "rooms", "meetings"].map((name) => call("GET", `/${name}`)),
  ]);
  for (const list of lists) Object.assign(state, list);
  state.facts.push(...history.history.filter((fact) => fact.seq > last));
  draw(clock.nowMs);
}

async function example(provider, domain, name) {
  const tenant = (await call("POST", "/tenants", { provider, name, domain })).id;
  if (provider === "microsoft") await call("POST", `/tenants/${tenant}/consent`, { granted: true });
  for (const person of ["Ada", "Ben", "Cleo"]) {
    const user = await call("POST", "/users", { tenant, name: person, address: `${person.toLowerCase()}@${domain}` });
    await call("POST", `/users/${user.id}/consents`, { granted: true });
  }
  const rooms = [["Aare", 6, {}], ["Birs", 8, {}], ["Doubs", 6, { mode: "manual" }], ["Emme", 10, { maxDurationMinutes: 60 }], ["Rhein", 20, { mode: "forbid" }]];
  for (const [room, capacity, rules] of rooms) {
    await call("POST", "/rooms", { tenant, name: room, address: `${room.toLowerCase()}@rooms.${domain}`, capacity, building: "Riverside", floor: "4", rules });
  }
}

find("example").addEventListener("click", act(async () => {
  await example("microsoft", "contoso.test", "Contoso");
  await example("google", "acme.test", "Acme");
}));

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", act(() => call("POST", "/clock", { advanceMs: Number(button.dataset.advance) })));
}
for (const id of ["tenant", "organizer"]) find(id).addEventListener("change", drawForm);

find("book").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const start = new Date(form.get("start"));
  const repeat = form.get("repeat");
  attempt(async () => {
    await call("POST", "/meetings", {
      organizer: form.get("organizer"), title: form.get("title"), start: start.toISOString(),
      end: new Date(start.getTime() + Number(form.get("minutes")) * 60000).toISOString(),
      rooms: form.getAll("rooms"), attendees: form.getAll("attendees"),
      ...(repeat ? { recurrence: { frequency: repeat, count: repeat === "daily" ? 5 : 10 } } : {}),
    });
    await refresh();
  });
});

const soon = new Date(Date.now() + 24 * HOUR_MS);
soon.setMinutes(-soon.getTimezoneOffset(), 0, 0);
find("book").elements.start.value = soon.toISOString().slice(0, 16);

await attempt(refresh);
setInterval(() => attempt(refresh), POLL_MS);
