// Keeps "My rooms" live. Everything here also works without it: links, forms, reload.
"use strict";
(() => {
  const body = document.body;
  const byId = (id) => document.getElementById(id);
  const csrf = body.dataset.csrf;
  const WORDS = JSON.parse(byId("words").content.textContent);  // the server's own table: this script has no words of its own
  const fill = (text, values) => text.replace(/\{([a-z]{1,20})\}/gi, (_, name) => values[name]);
  const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
  const SHORT_DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
  const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);
  const say = (text) => { byId("said").textContent = text; };
  const find = (attribute, value) => document.querySelector(`[data-${attribute}="${CSS.escape(value)}"]`);

  // Times, in the reader's own zone and manner.
  const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
  const until = (start) => {
    const minutes = Math.round((start - Date.now()) / 60000);
    const days = Math.round((midnight(start) - midnight(new Date())) / 86400000);
    if (minutes < 1) return "";
    if (days > 0) return RELATIVE.format(days, "day");
    return minutes < 60 ? RELATIVE.format(minutes, "minute") : RELATIVE.format(Math.round(minutes / 60), "hour");
  };
  const showWhen = (element, start, end, withDay) => {
    const day = withDay ? `${SHORT_DAY.format(start)}, ` : "";
    element.replaceChildren(`${day}${CLOCK.format(start)} – ${CLOCK.format(end)}`);
  };
  const countDown = () => {
    for (const date of document.querySelectorAll("[data-date]")) {
      const words = date.querySelector("[data-until]");
      if (words && date.dataset.start) words.textContent = until(new Date(date.dataset.start));
    }
  };
  const localise = (root, withDay) => {
    for (const element of root.querySelectorAll("[data-when]")) {
      const [start, end] = [...element.querySelectorAll("time")].map((time) => new Date(time.dateTime));
      if (start) showWhen(element, start, end, withDay);
    }
  };
  const entitle = (element, shape) => {
    const title = element.querySelector("[data-title]");
    title.classList.remove("loading");
    delete title.dataset.loading;
    title.textContent = shape.read ? shape.title || WORDS.untitled : `${WORDS.unread} ${WORDS.unreadWhy}`;
    element.querySelector("[data-unread]")?.remove();
    const open = element.querySelector("[data-open]");
    if (!open) return;
    open.hidden = !shape.link;
    if (shape.link) open.href = shape.link;
  };
  // The page came before its titles: one more answer has them, and whatever it has not could not be read.
  const bringTitles = async () => {
    if (!document.querySelector("[data-loading], [data-coming]")) return;
    const answer = await fetch("/v1/me/rooms").catch(() => null);
    const shapes = answer?.ok ? (await answer.json()).rooms : [];
    const byOccurrence = new Map(shapes.map((shape) => [shape.occurrenceRef, shape]));
    for (const title of document.querySelectorAll("[data-loading]")) {
      const element = title.closest("[data-meeting], [data-prompt]");
      const occurrence = element.dataset.meeting || element.querySelector("[data-occurrence]").dataset.occurrence;
      const shape = byOccurrence.get(occurrence) || { read: false };
      entitle(element, shape);
      if (shape.read && element.dataset.meeting) place(element, shape, false);
    }
    for (const outcome of document.querySelectorAll("[data-coming]")) {
      const lines = outcome.dataset.lines.split(" ");
      outcome.dataset.of = shapes.find((shape) => shape.title && lines.includes(shape.id))?.title || WORDS.untitled;
      delete outcome.dataset.coming;
      describeOutcome(outcome);
    }
    arrange();
  };
  const place = (element, shape, withDay) => {
    element.dataset.start = shape.start;
    element.dataset.end = shape.end;
    showWhen(element.querySelector("[data-when]"), new Date(shape.start), new Date(shape.end), withDay);
  };
  // A prompt's card stands for one date of a meeting, or for several on which the same room said no.
  const MOST_DATES = 10;
  const MOST_UNFOLDED = Number(byId("prompt-list").dataset.inFull);
  const datesOf = (card) => [...card.querySelectorAll("[data-date]")];
  const idsOf = (card) => datesOf(card).map((date) => date.dataset.date);
  const cardOf = (id) => find("date", id)?.closest("[data-prompt]");
  const chooseWords = (card) => datesOf(card).length > 1 ? WORDS.chooseForAll : WORDS.choose;
  const shared = (card) => {
    const states = [...document.querySelectorAll(`[data-series="${CSS.escape(card.dataset.group)}"] [data-state]`)];
    const having = (state) => states.filter((badge) => badge.classList.contains(state)).length;
    const waiting = having("pending");
    const words = card.querySelector("[data-share]");
    if (!words) return;
    words.hidden = states.length < 2;
    const pending = waiting ? fill(waiting === 1 ? WORDS.share.pendingOne : WORDS.share.pendingMany, { pending: waiting }) : "";
    words.textContent = [fill(WORDS.share.accepted, { accepted: having("accepted"), dates: states.length }), pending].filter(Boolean).join(" ");
  };
  const named = (card) => {
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
    opened(card, false);  // what was offered was for other dates
    shared(card);
  };
  const arrange = () => {
    const list = byId("meetings");
    const meetings = [...list.querySelectorAll("[data-meeting]")].sort((a, b) => a.dataset.start < b.dataset.start ? -1 : 1);
    let last = "";
    const rows = [];
    for (const meeting of meetings) {
      const day = DAY.format(new Date(meeting.dataset.start));
      if (day !== last) rows.push(Object.assign(document.createElement("li"), { className: "day", textContent: day }));
      last = day;
      rows.push(meeting);
    }
    const focused = document.activeElement;
    list.replaceChildren(...rows);
    if (list.contains(focused)) focused.focus();
    byId("nothing").hidden = meetings.length > 0;
  };
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
  const count = () => {
    fold();
    const open = document.querySelectorAll("[data-prompt]:not(.closed)").length;
    byId("prompts").hidden = document.querySelectorAll("#prompt-list > *").length === 0;
    byId("prompts").classList.toggle("rows", open > MOST_UNFOLDED);
    offerAll(open);
    document.title = `${open ? `(${open}) ` : ""}My rooms · roomsync`;
  };

  // What the stream tells.
  const onRoom = (shape) => {
    let line = find("room", shape.id);
    followOutcome(shape);
    if (shape.state === "gone") {
      const meeting = line?.closest("[data-meeting]");
      const series = line?.dataset.series;
      line?.remove();
      if (meeting && !meeting.querySelector("[data-room]")) meeting.remove();
      if (series) tally(series);
      return arrange();
    }
    let meeting = find("meeting", shape.occurrenceRef);
    if (!meeting) {
      meeting = clone("meeting-template");
      meeting.dataset.meeting = shape.occurrenceRef;
      byId("meetings").append(meeting);
    }
    entitle(meeting, shape);
    place(meeting, shape, false);
    if (!line) {
      line = clone("room-template");
      line.dataset.room = shape.id;
      line.dataset.series = shape.series;
      meeting.querySelector(".rooms").append(line);
    }
    line.querySelector("[data-name]").textContent = shape.roomName || WORDS.room;
    line.querySelector("[data-words]").textContent = shape.words;
    const badge = line.querySelector("[data-state]");
    badge.className = `badge ${shape.state}`;
    badge.textContent = WORDS.states[shape.state] || shape.state;
    arrange();
    tally(shape.series);
  };
  const tally = (series) => document.querySelectorAll(`[data-group="${CSS.escape(series)}"]:not(.closed)`).forEach(shared);
  const onPrompt = (shape) => {
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
      place(date, shape, true);
      const later = datesOf(card).find((other) => other !== date && other.dataset.start > shape.start);
      card.querySelector("[data-dates]").insertBefore(date, later || null);
      named(card);
    }
    card.querySelector(".said-no [data-name]").textContent = shape.roomName || WORDS.room;
    card.querySelector("[data-seats]").textContent = fill(WORDS.seats, { people: shape.people });
    entitle(card, shape);
    place(date, shape, true);
    shared(card);
    countDown();
    count();
    suggest(card);
  };
  const onClosed = (shape) => {
    const card = cardOf(shape.id);
    if (!card || card.classList.contains("closed")) return;
    say(shape.words);
    if (datesOf(card).length > 1) {
      find("date", shape.id).remove();
      return named(card);
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
  const onSnapshot = (held) => {
    for (const line of document.querySelectorAll("[data-room]")) if (line.dataset.room && !held.rooms.includes(line.dataset.room)) onRoom({ id: line.dataset.room, state: "gone" });
    for (const card of document.querySelectorAll("[data-prompt]:not(.closed)")) {
      const stale = datesOf(card).filter((date) => !held.prompts.includes(date.dataset.date));
      if (stale.length === datesOf(card).length) card.remove();
      else if (stale.length) { stale.forEach((date) => date.remove()); named(card); }
    }
    byId("rebuilding").hidden = true;
    count();
  };
  const SILENT_MS = 25000;  // two beats and a half
  const live = (text) => { byId("live").textContent = text; };
  let last = body.dataset.cursor;
  const follow = () => {
    const source = new EventSource(`/v1/me/stream?after=${encodeURIComponent(last)}`);
    const on = (name, act) => source.addEventListener(name, (event) => {
      if (event.lastEventId) last = event.lastEventId;
      heardAt = Date.now();
      act(JSON.parse(event.data));
    });
    on("room", onRoom);
    on("prompt", onPrompt);
    on("prompt-closed", onClosed);
    on("many-at-once", (found) => { byId("many").hidden = !found.lasts; });
    on("snapshot", onSnapshot);
    on("heartbeat", () => {});
    on("rebuilding", () => { byId("rebuilding").hidden = false; });
    source.addEventListener("replaced", () => {
      source.close();
      live(WORDS.replaced);
    });
    source.onopen = () => { heardAt = Date.now(); live(WORDS.live); };
    source.onerror = () => {
      live(WORDS.reconnecting);
      pageState.check();  // a stream ends now and then; whether more is wrong, one question tells
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(follow, 15000);  // refused: signed out, or no seat
    };
    stream = source;
  };
  // A connection that is cut without a word gives no error: the beats stop.
  let heardAt = Date.now();
  let stream = null;
  let retry = 0;
  setInterval(async () => {
    if (stream?.readyState === EventSource.CLOSED || Date.now() - heardAt < SILENT_MS) return;
    heardAt = Date.now();
    if (!await pageState.check()) return;
    clearTimeout(retry);
    stream?.close();
    follow();
  }, 1000);

  // What a person does.
  const post = async (path, data, headers = {}) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf, ...headers },
      body: JSON.stringify(data),
      keepalive: true,
    }).catch(() => null);
    pageState.heard(answer);
    if (!answer) throw new Error(WORDS.failed);
    return answer;
  };
  const problem = async (answer) => {
    const found = await answer.json().catch(() => ({}));
    return [found.title, found.next].filter(Boolean).join(" ") || WORDS.failed;
  };
  const told = (card, text) => {
    const note = card.querySelector("[data-took]");
    note.hidden = false;
    note.textContent = text;
  };
  const where = (choice) => [choice.building, choice.floor && fill(WORDS.floor, choice)].filter(Boolean).join(", ");
  const opened = (card, open) => {
    const button = card.querySelector("[data-choose]");
    card.querySelector("[data-panel]").hidden = !open;
    card.classList.toggle("unfolded", open);
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? WORDS.notNow : chooseWords(card);
  };
  // The nearest room that is free stands on the card: asked for once a card, one card after the other, a dozen at most.
  const MOST_SUGGESTED = 12;
  let suggested = 0;
  let queue = Promise.resolve();
  const choicesOf = async (card) => {
    const [id, ...also] = idsOf(card);
    const answer = await fetch(`/v1/me/prompts/${id}/choices?${new URLSearchParams(also.map((each) => ["also", each]))}`);
    if (!answer.ok) throw new Error(await problem(answer));
    return answer.json();
  };
  const suggest = (card) => {
    if (!card.querySelector("[data-suggest]") || card.dataset.suggested === idsOf(card).join() || suggested >= MOST_SUGGESTED) return;
    card.dataset.suggested = idsOf(card).join();
    suggested += 1;
    queue = queue.then(async () => {
      const found = await choicesOf(card).catch(() => null);
      const [choice] = found?.choices ?? [];
      const part = card.querySelector("[data-suggest]");
      if (!choice || !part || card.dataset.held) return;
      const key = crypto.randomUUID();
      const button = part.querySelector("[data-take-suggested]");
      button.textContent = fill(WORDS.takeRoom, { room: choice.name });
      button.onclick = () => hold(card, choice, key);
      const reasons = fill(WORDS.suggestedFor, { reasons: [...choice.reasons, where(choice)].filter(Boolean).join(" · ") });
      part.querySelector("[data-reasons]").textContent = [reasons, found.mails.words].filter(Boolean).join(" ");
      part.hidden = false;
    });
  };
  // Nothing is sent for ten seconds: a change of the meeting is mailed to everybody invited, and no second mail takes that back.
  const HOLD_MS = 10000;
  const held = new Map();
  const hold = (card, choice, key) => {
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
    told(card, fill(WORDS.holding, { room: choice.name }));
    undo.hidden = false;
    undo.querySelector("[data-undo-take]").onclick = () => {
      end();
      for (const button of buttons) button.inert = false;
      told(card, WORDS.notAsked);
      (card.querySelector(".suggest:not([hidden]) button") || card.querySelector("[data-choose]")).focus();
    };
    undo.querySelector("[data-ask-now]").onclick = () => { ask(); card.querySelector("h3").focus(); };
    undo.querySelector("[data-undo-take]").focus();
  };
  addEventListener("pagehide", () => { for (const ask of [...held.values()]) ask(); });  // who leaves has not undone it
  // What was taken is followed until its person has seen how it went.
  const SEEN = "roomsync-seen-takes";
  const seen = () => { try { return JSON.parse(localStorage.getItem(SEEN)) || []; } catch { return []; } };
  const see = (id) => { try { localStorage.setItem(SEEN, JSON.stringify([...seen(), id].slice(-200))); } catch { /* shown again, then */ } };
  const stateOf = (line) => (find("room", line)?.querySelector("[data-state]").className || "").replace("badge ", "");
  const describeOutcome = (outcome) => {
    const lines = outcome.dataset.lines.split(" ");
    const accepted = lines.filter((line) => stateOf(line) === "accepted").length;
    const kind = accepted === lines.length ? "accepted" : accepted ? "some" : "pending";
    const text = fill(WORDS.outcomes[kind], { room: outcome.dataset.roomName, title: outcome.dataset.of, accepted, dates: lines.length });
    const words = outcome.querySelector("[data-outcome-words]");
    outcome.classList.toggle("accepted", kind === "accepted");
    if (words.textContent !== text) words.textContent = text;
  };
  const followOutcome = (shape) => {
    for (const outcome of document.querySelectorAll("[data-outcome]")) {
      if (!outcome.dataset.lines.split(" ").includes(shape.id)) continue;
      if (shape.state === "declined" || shape.state === "gone") outcome.remove();
      else setTimeout(() => describeOutcome(outcome));  // once the line itself is written
    }
  };
  const addOutcome = (title, choice, lines, takeId) => {
    if (find("outcome", takeId)) return;
    const outcome = clone("outcome-template");
    outcome.dataset.outcome = takeId;
    outcome.dataset.lines = lines.join(" ");
    outcome.dataset.roomName = choice.name;
    outcome.dataset.of = title;
    byId("outcomes").prepend(outcome);
    describeOutcome(outcome);
  };
  document.addEventListener("click", (event) => {
    const outcome = event.target.closest("[data-seen]")?.closest("[data-outcome]");
    if (!outcome) return;
    see(outcome.dataset.outcome);
    outcome.remove();
    byId("main").focus();
  });
  const list = (card, parts, choices, most) => {
    const items = choices.slice(0, most).map((choice) => {
      const item = clone("choice-template");
      item.querySelector("strong").textContent = choice.name;
      const [why, spot] = item.querySelectorAll("span");
      why.textContent = choice.reasons.join(" · ");
      spot.textContent = where(choice);
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
    const show = () => list(card, panel, choices.filter((choice) =>
      ["building", "floor"].every((name) => !filters[name].value || choice[name] === filters[name].value)
      && (choice.capacity ?? 0) >= Number(filters.capacity.value)), choices.length);
    for (const field of Object.values(filters)) field.addEventListener("input", show);
    panel.querySelector("[data-filters]").hidden = false;
    panel.querySelector("[data-more-row]").hidden = true;
    show();
    filters.building.focus();
  };
  const choose = async (card) => {
    const panel = card.querySelector("[data-panel]");
    if (!panel.hidden) return opened(card, false);
    opened(card, true);
    panel.replaceChildren(Object.assign(document.createElement("p"), { className: "hint", textContent: WORDS.looking }));
    try {
      const found = await choicesOf(card);
      if (found.choices.length === 0) throw new Error(found.words);
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
      panel.replaceChildren(Object.assign(document.createElement("p"), { className: "notice", textContent: error.message }));
    }
  };
  const take = async (card, choice, key) => {
    const buttons = card.querySelectorAll(".panel button, .suggest button, .actions button, .actions .button");
    buttons.forEach((button) => { button.inert = true; });
    told(card, fill(WORDS.asking, { room: choice.name }));
    const failed = (error) => {
      told(card, error.message);
      buttons.forEach((button) => { button.inert = false; });
    };
    const [id, ...also] = idsOf(card);
    const title = card.querySelector("[data-title]").textContent;
    const lines = datesOf(card).map((date) => `${date.dataset.occurrence}.${choice.roomId}`);
    try {
      const answer = await post(`/v1/me/prompts/${id}/take`, { roomId: choice.roomId, also }, { "Idempotency-Key": key });
      if (!answer.ok) throw new Error(await problem(answer));
      const first = await answer.json();
      Promise.all([first, ...first.also].map((taken) => outcome(card, taken.href)))
        .then(() => addOutcome(title, choice, lines, first.takeId))
        .catch(failed);
      card.dataset.taken = choice.roomId;
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
  const outcome = async (card, href) => {
    for (let tries = 0; tries < 60; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const answer = await fetch(href);
      if (!answer.ok) continue;
      const found = await answer.json();
      if (found.state === "asked") continue;
      if (found.state === "failed") throw new Error([found.words, found.reason && `${found.reason[0].toUpperCase()}${found.reason.slice(1)}.`].filter(Boolean).join(" "));
      if (!card.classList.contains("closed")) told(card, found.words);
      return;
    }
    throw new Error(WORDS.slow);
  };
  // Many at once: each card in its turn gets the nearest room that no earlier one of this round takes at the same time.
  const MOST_AT_ONCE = 30;
  let allUnderWay = false;
  const openCards = () => [...document.querySelectorAll("[data-prompt]:not(.closed)")].filter((card) => card.isConnected && !held.has(card) && !card.dataset.taken);
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
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (!button) return;
    event.preventDefault();
    choose(button.closest("[data-prompt]"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches?.("[data-choose]")) {
      event.preventDefault();
      event.target.click();
    }
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-dismiss]");
    if (!form) return;
    event.preventDefault();
    const card = form.closest("[data-prompt]");
    const [id, ...also] = idsOf(card);
    try {
      const answer = await post(`/v1/me/prompts/${id}/dismiss`, { also });
      if (!answer.ok) throw new Error(await problem(answer));
      const found = await answer.json();
      [found, ...found.also].forEach(onClosed);
    } catch (error) {
      told(card, error.message);
    }
  });

  // Until the first sync is through, ask how far it is; then show the page anew, unless the person is on their way elsewhere.
  let leaving = false;
  addEventListener("beforeunload", () => (leaving = true));
  const watch = async () => {
    if (!["connecting", "first-sync"].includes(body.dataset.connection)) return;
    const answer = await fetch("/v1/me").catch(() => null);
    pageState.heard(answer);
    if (!leaving && answer?.ok && (await answer.json()).connection.state !== body.dataset.connection) return location.reload();
    setTimeout(watch, 2000);
  };

  localise(byId("meetings"), false);
  localise(byId("prompts"), true);
  for (const time of document.querySelectorAll("[data-instant]")) time.textContent = `${SHORT_DAY.format(new Date(time.dateTime))}, ${CLOCK.format(new Date(time.dateTime))}`;
  byId("zone").textContent = ` ${fill(WORDS.zone, { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}`;
  arrange();
  count();
  countDown();
  setInterval(countDown, 60000);
  for (const outcome of document.querySelectorAll("[data-outcome]")) if (seen().includes(outcome.dataset.outcome)) outcome.remove();
  bringTitles();
  document.querySelectorAll("[data-prompt]").forEach(suggest);
  follow();
  watch();
})();
