/**
 * UTF-8, for engines that have no TextDecoder. Nothing is lost on the way in: a
 * byte that is not part of valid UTF-8 becomes one lone surrogate U+DC80..U+DCFF
 * and is written back as that byte. Any other lone surrogate is written as U+FFFD.
 */

/** The code point at `at`, with the lone surrogates that have no bytes replaced. */
function pointAt(text: string, at: number): number {
  const point = text.codePointAt(at)!;
  return point >= 0xd800 && point <= 0xdfff && !(point >= 0xdc80 && point <= 0xdcff) ? 0xfffd : point;
}

/** How many bytes {@link writeText} writes for `text`. */
export function textLength(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const point = pointAt(text, at);
    if (point > 0xffff) at += 1;
    const raw = point >= 0xdc80 && point <= 0xdcff;
    length += point < 0x80 || raw ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}

/** Writes `text` as UTF-8 from `to` on; there must be room for {@link textLength} bytes. Returns the end. */
export function writeText(text: string, bytes: Uint8Array, to: number): number {
  for (let at = 0; at < text.length; at += 1) {
    const point = pointAt(text, at);
    if (point < 0x80) {
      bytes[to++] = point;
    } else if (point >= 0xdc80 && point <= 0xdcff) {
      bytes[to++] = point - 0xdc00;
    } else {
      if (point > 0xffff) {
        at += 1;
        bytes[to++] = 0xf0 | (point >> 18);
        bytes[to++] = 0x80 | ((point >> 12) & 0x3f);
      } else if (point > 0x7ff) {
        bytes[to++] = 0xe0 | (point >> 12);
      }
      bytes[to++] = point > 0x7ff ? 0x80 | ((point >> 6) & 0x3f) : 0xc0 | (point >> 6);
      bytes[to++] = 0x80 | (point & 0x3f);
    }
  }
  return to;
}

/** Reads `bytes[from..to)` as UTF-8. */
export function readText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let units: number[] = [];
  while (from < to) {
    const first = bytes[from]!;
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    let point = first;
    if (first >= 0x80) {
      point = first & (0x3f >> more);
      let good = first >= 0xc2 && first <= 0xf4 && from + more < to;
      for (let i = 1; good && i <= more; i += 1) {
        const next = bytes[from + i]!;
        good = (next & 0xc0) === 0x80;
        point = (point << 6) | (next & 0x3f);
      }
      // Overlong forms, surrogates and what lies beyond Unicode are not UTF-8.
      const least = more === 3 ? 0x10000 : more === 2 ? 0x800 : 0x80;
      good &&= point >= least && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
      if (good) from += more;
      else point = 0xdc00 + first;
    }
    from += 1;
    if (point > 0xffff) units.push(0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    else units.push(point);
    if (units.length >= 4096) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}
