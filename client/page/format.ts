/** Shown where a number is not known yet. */
export const UNKNOWN = "–";

const MINUS = "\u2212";
const NARROW_SPACE = "\u202f";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A count with thousands separated: `12,345`; from ten million on shortened: `12.3 M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return UNKNOWN;
  if (count >= 1e10) return `${(count / 1e9).toFixed(1)}${NARROW_SPACE}G`;
  if (count >= 1e7) return `${(count / 1e6).toFixed(1)}${NARROW_SPACE}M`;
  return whole.format(count);
}

/** Examples per second, to three digits: `8.2/s`, `941/s`, `12,300/s`; unknown for `null`. */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return UNKNOWN;
  return `${threeDigits(perSecond)}/s`;
}

/** Bytes in decimal units (1 kB = 1000 B), to three digits: `512 B`, `5.92 kB`, `1.41 MB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return UNKNOWN;
  const units = ["B", "kB", "MB", "GB", "TB"];
  // 999.5 would print as "1000": move to the next unit at the point where rounding does.
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 999.5 && unit + 1 < units.length) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 || scaled >= 999.5 ? whole.format(scaled) : scaled.toPrecision(3)}${NARROW_SPACE}${units[unit] ?? ""}`;
}

/** Seconds for people: `0.84 s`, `12.4 s`, `3 min 05 s`, `2 h 07 min`; unknown for `null`. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return UNKNOWN;
  const s = NARROW_SPACE;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${s}s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}${s}s`;
  const total = Math.round(seconds);
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes}${s}min ${twoDigits(total % 60)}${s}s`;
  return `${Math.floor(minutes / 60)}${s}h ${twoDigits(minutes % 60)}${s}min`;
}

/** A share of 1 in per cent with one decimal: `0.967` gives `96.7 %`; unknown for `null`. */
export function formatPercent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return UNKNOWN;
  return `${signed(share * 100, 1)}${NARROW_SPACE}%`;
}

/** Difference of two shares in percentage points, with its sign: `+0.4 points`. */
export function formatPoints(difference: number): string {
  return `${explicitlySigned(difference * 100, 1)}${NARROW_SPACE}points`;
}

/** A loss or an error to four decimals, smaller ones in powers of ten: `0.1032`, `4.1e-6`; unknown for `null`. */
export function formatLoss(loss: number | null): string {
  if (loss === null || !Number.isFinite(loss)) return UNKNOWN;
  const magnitude = Math.abs(loss);
  if (magnitude !== 0 && magnitude < 0.001)
    return loss.toExponential(1).replace("-", MINUS).replace("e-", `e${MINUS}`);
  return magnitude >= 1000 ? whole.format(loss) : signed(loss, 4);
}

/** A number with its sign, to `digits` decimals: `+0.40`, `−0.40`, `0.00` for what rounds to zero. */
export function explicitlySigned(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value > 0 ? "+" : MINUS}${text}`;
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `${MINUS}${text}` : text;
}

function threeDigits(value: number): string {
  if (value >= 1e7) return formatCount(value);
  if (value >= 999.5) return whole.format(Number(value.toPrecision(3)));
  return value >= 99.95 ? value.toFixed(0) : value.toPrecision(value < 1 ? 2 : 3).replace(/\.0+$/, "");
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
