// Types of latchkey-codec.mjs.
import type { Grant, SessionRequest } from "./latchkey.mjs";

export function toLink(request: SessionRequest): Promise<`latchkey:grant/${string}`>;
export function toQr(request: SessionRequest, fragment?: number): Promise<string[]>;
export function read(text: string): Promise<Grant>;

export class Scanner {
  readonly percent: number;
  receive(code: string): Promise<number>;
  grant(): Promise<Grant | undefined>;
}
