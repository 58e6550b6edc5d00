import type { ComponentChildren, JSX } from "preact";
import { chooseTheme, type Theme, theme } from "./theme.ts";

/** Props of `SiteFrame`. */
export interface SiteFrameProps {
  readonly page: "volunteer" | "dashboard";
  readonly children: ComponentChildren;
  readonly footer: ComponentChildren;
}

/** What both pages share: skip link, header with the way to the other page and the theme, main, footer. */
export function SiteFrame({ page, children, footer }: SiteFrameProps): JSX.Element {
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to the content
      </a>
      <header class="site-header">
        <a class="brand" href="/">
          <BrandMark />
          <span class="brand-name">AstroScale</span>
        </a>
        <nav class="site-nav" aria-label="Pages">
          <ul>
            <li>
              <a href="/" aria-current={page === "volunteer" ? "page" : undefined}>
                Take part
              </a>
            </li>
            <li>
              <a href="/dashboard" aria-current={page === "dashboard" ? "page" : undefined}>
                Dashboard
              </a>
            </li>
          </ul>
        </nav>
        <ThemeChoice />
      </header>
      <main class="site-main" id="main" tabIndex={-1}>
        {children}
      </main>
      {footer !== null && (
        <footer class="site-footer">
          <div>{footer}</div>
        </footer>
      )}
    </>
  );
}

/** A sky pixel with one star in it, as in the icon. */
function BrandMark(): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="none">
      <path
        d="M12 1.5 22.5 12 12 22.5 1.5 12Z"
        stroke="var(--blue)"
        stroke-width="1.75"
        stroke-linejoin="round"
      />
      <path
        d="m6.75 6.75 10.5 10.5m0-10.5-10.5 10.5"
        stroke="var(--blue)"
        stroke-opacity=".35"
        stroke-width="1.25"
      />
      <circle cx="12" cy="12" r="3.1" fill="var(--orange)" />
    </svg>
  );
}

const THEMES: readonly { readonly value: Theme; readonly label: string; readonly icon: string }[] = [
  { value: "system", label: "As the system", icon: "M2.5 3.5h11v7h-11zM6 13.5h4" },
  {
    value: "light",
    label: "Light",
    icon: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M12.8 3.2l-.9.9M4.1 11.9l-.9.9",
  },
  { value: "dark", label: "Dark", icon: "M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7Z" },
];

function ThemeChoice(): JSX.Element {
  return (
    <fieldset class="choices theme">
      <legend class="visually-hidden">Theme</legend>
      {THEMES.map(({ value, label, icon }) => (
        <label key={value} title={label}>
          <input
            type="radio"
            name="theme"
            value={value}
            aria-label={label}
            checked={theme.value === value}
            onChange={() => chooseTheme(value)}
          />
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={icon} />
          </svg>
        </label>
      ))}
    </fieldset>
  );
}
