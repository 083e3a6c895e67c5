// Makes what writes times as the server does: in a language and country, on a clock of twelve (h12) or twenty-four hours (h23).
export const writing = (locale, hours, zone) => {
  const form = (parts) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...parts });
  return {
    longDay: form({ weekday: "long", day: "numeric", month: "long" }),
    shortDay: form({ weekday: "short", day: "numeric", month: "short" }),
    clock: form({ hour: hours === "h12" ? "numeric" : "2-digit", minute: "2-digit", hourCycle: hours }),
    relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
  };
};
