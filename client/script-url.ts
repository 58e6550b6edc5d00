/** The parts of Trusted Types used here; TypeScript's DOM library has none of them. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

let policy: { createScriptURL(url: string): string } | null = null;

/**
 * `url` as a script may be started from it under `require-trusted-types-for 'script'`: through the policy
 * `astroscale`, the only one the coordinator's pages allow.
 *
 * @throws {Error} when the URL is of another origin
 */
export function scriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy("astroscale", { createScriptURL: sameOrigin }) ?? {
    createScriptURL: sameOrigin,
  };
  return policy.createScriptURL(url);
}

function sameOrigin(url: string): string {
  const absolute = new URL(url, location.href);
  if (absolute.origin !== location.origin) {
    throw new Error(`script ${absolute.href} is not of ${location.origin}`);
  }
  return absolute.href;
}
