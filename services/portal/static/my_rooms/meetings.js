// Keeps the list of upcoming meetings: one entry a meeting, by day, with a line for each of its rooms.
import { entitle, showShares, showTimes } from "./cards.js";
import { byId, clone, find } from "./elements.js";
import { followOutcome } from "./outcomes.js";
import { DAY } from "./times.js";
import { WORDS } from "./words.js";

export const arrange = () => {
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
export const onRoom = (shape) => {
  let line = find("room", shape.id);
  followOutcome(shape);
  if (shape.state === "gone") {
    const meeting = line?.closest("[data-meeting]");
    const series = line?.dataset.series;
    line?.remove();
    if (meeting && !meeting.querySelector("[data-room]")) meeting.remove();
    if (series) showShares(series);
    return arrange();
  }
  let meeting = find("meeting", shape.occurrenceRef);
  if (!meeting) {
    meeting = clone("meeting-template");
    meeting.dataset.meeting = shape.occurrenceRef;
    byId("meetings").append(meeting);
  }
  entitle(meeting, shape);
  showTimes(meeting, shape, false);
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
  showShares(shape.series);
};
