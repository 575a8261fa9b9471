/** The token: in this tab's sessionStorage, and nowhere else. */
const KEY = "glance-gateway:token";
const FRAGMENT = "#token=";
const CHANGED = new EventTarget();

/** A link's token that waits for a yes: it would replace another one. */
let offered = "";

export function currentToken(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function offeredToken(): string {
  return offered;
}

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
  tellChange();
}

/** Use the link's token instead of the present one. */
export function acceptOfferedToken(): void {
  const token = offered;
  offered = "";
  setToken(token);
}

/** Keep the present token, and forget the link's. */
export function declineOfferedToken(): void {
  offered = "";
  tellChange();
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

/** A link may fill an empty field; whoever has a token is asked first. */
function takeToken(): void {
  const { hash, pathname, search } = location;
  if (!hash.startsWith(FRAGMENT)) return;
  history.replaceState(null, "", pathname + search);
  const token = decoded(hash.slice(FRAGMENT.length));
  const present = currentToken();
  offered = present && token !== present ? token : "";
  if (token && !present) setToken(token);
  else tellChange();
}

/** Return the token, or "" for what is malformed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text).trim();
  } catch {
    return "";
  }
}

function tellChange(): void {
  CHANGED.dispatchEvent(new Event("change"));
}
