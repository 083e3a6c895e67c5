// Moves the line of now along the day.
const line = document.querySelector("[data-now]");
const axis = line?.parentElement.dataset;
const writing = axis && new Intl.DateTimeFormat("en-GB", { timeZone: axis.zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
const move = () => {
  const now = Object.fromEntries(writing.formatToParts(new Date()).map(({ type, value }) => [type, value]));
  const hour = Number(now.hour);
  line.hidden = `${now.year}-${now.month}-${now.day}` !== axis.day || hour < Number(axis.first) || hour >= Number(axis.last);
  line.className = `now from-h${hour} from-m${Math.floor(Number(now.minute) / 5)}`;
};
if (line) {
  move();
  setInterval(move, 60000);
}
