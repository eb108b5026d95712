const SECOND = 1000;

/** A length of time as m:ss, or h:mm:ss from one hour on. Negative counts as zero. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / SECOND));
  const seconds = String(total % 60).padStart(2, "0");
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours === 0 ? `${minutes}:${seconds}` : `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
}

type Parts = { year: string; month: string; day: string; hour: string; minute: string };

const formats = new Map<string, Intl.DateTimeFormat>();

function parts(at: number, zone: string): Parts {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  const found: Partial<Record<string, string>> = {};
  for (const part of format.formatToParts(at)) found[part.type] = part.value;
  const { year = "", month = "", day = "", hour = "", minute = "" } = found;
  return { year: year.padStart(4, "0"), month, day, hour, minute };
}

/** 14:05 */
export function clockTime(at: number, zone: string): string {
  const p = parts(at, zone);
  return `${p.hour}:${p.minute}`;
}

/** 11/24 05:12; with the year in front when it is not this year. */
export function dayTime(at: number, zone: string, now: number): string {
  const p = parts(at, zone);
  const year = p.year === parts(now, zone).year ? "" : `${p.year}/`;
  return `${year}${p.month}/${p.day} ${p.hour}:${p.minute}`;
}

/** 15:30 today, otherwise with the date. */
export function dueTime(at: number, zone: string, now: number): string {
  const p = parts(at, zone);
  const n = parts(now, zone);
  return p.year === n.year && p.month === n.month && p.day === n.day
    ? `${p.hour}:${p.minute}`
    : dayTime(at, zone, now);
}

/** The value of a `datetime-local` field for a moment in a zone. */
export function toField(at: number, zone: string): string {
  const p = parts(at, zone);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

/** The moment a `datetime-local` value means in a zone; null when it is none. */
export function fromField(text: string, zone: string): number | null {
  const wanted = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(`${text.slice(0, 16)}Z`) : Number.NaN;
  if (Number.isNaN(wanted)) return null;
  // The zone's offset at the guess may differ from the one at the answer: correct twice.
  let at = wanted;
  for (let round = 0; round < 2; round++) {
    at += wanted - Date.parse(`${toField(at, zone)}Z`);
  }
  return at;
}

const HALF_HOUR = 1_800_000;

/** A first proposal for a due time: an hour from now, on the next half hour. */
export function proposedDue(now: number): number {
  return Math.ceil((now + 2 * HALF_HOUR) / HALF_HOUR) * HALF_HOUR;
}
