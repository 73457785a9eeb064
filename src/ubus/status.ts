/** The answers ubus knows, and the one error this library throws. */

/** Status codes of a STATUS message (ubusmsg.h, `enum ubus_msg_status`). */
export const Status = {
  OK: 0,
  INVALID_COMMAND: 1,
  INVALID_ARGUMENT: 2,
  METHOD_NOT_FOUND: 3,
  NOT_FOUND: 4,
  NO_DATA: 5,
  PERMISSION_DENIED: 6,
  TIMEOUT: 7,
  NOT_SUPPORTED: 8,
  UNKNOWN_ERROR: 9,
  CONNECTION_FAILED: 10,
  NO_MEMORY: 11,
  PARSE_ERROR: 12,
  SYSTEM_ERROR: 13,
} as const;

/** What was thrown, in words, whatever it was. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : `${typeof error} thrown`;
}

const sentences = [
  'done',
  'invalid command',
  'invalid argument',
  'the object has no such method',
  'not found',
  'no response',
  'permission denied',
  'timed out',
  'not supported',
  'unknown error',
  'no connection to ubusd',
  'out of memory',
  'the data could not be read',
  'system error',
];

/** A status code in words: `invalid argument (status 2)`. */
export function statusText(status: number): string {
  return `${sentences[status] ?? 'a status this library does not know'} (status ${status})`;
}

/**
 * The only error this library throws or rejects with.
 *
 * Thrown from a method's handler, its `status` is what the caller gets (the
 * message stays here: ubus carries no text with a status).
 */
export class UbusError extends Error {
  /** One of {@link Status}, or whatever number an object answered with. */
  readonly status: number;

  /**
   * @param status  one of {@link Status}
   * @param message a sentence; the status in words by default
   */
  constructor(status: number, message: string = statusText(status)) {
    super(message);
    this.name = 'UbusError';
    this.status = status;
  }
}
