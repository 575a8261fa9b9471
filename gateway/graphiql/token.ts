/** The token: in this tab's sessionStorage, and nowhere else. */
const KEY = "glance-gateway:token";
const FRAGMENT = "#token=";
const CHANGED = new EventTarget();

export function currentToken(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
  CHANGED.dispatchEvent(new Event("change"));
}

/** Call `listener` after each change; returns what ends that. */
export function onTokenChange(listener: () => void): () => void {
  CHANGED.addEventListener("change", listener);
  return () => CHANGED.removeEventListener("change", listener);
}

/** Take the token from `#token=…`, now and whenever one is put there. */
export function takeTokensFromAddress(): void {
  window.addEventListener("hashchange", takeToken);
  takeToken();
}

function takeToken(): void {
  const { hash, pathname, search } = location;
  if (!hash.startsWith(FRAGMENT)) return;
  history.replaceState(null, "", pathname + search);
  setToken(decodeURIComponent(hash.slice(FRAGMENT.length)));
}
