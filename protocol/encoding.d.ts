// The part of the Encoding Standard that every runtime of ours has. protocol/ sees neither DOM nor Node types.
export {};

declare global {
  class TextEncoder {
    encode(text: string): Uint8Array<ArrayBuffer>;
  }
  class TextDecoder {
    constructor(label: "utf-8", options: { fatal: true });
    decode(bytes: Uint8Array): string;
  }
}
