/** Where one says who asks. */
import { useGraphiQLActions } from "@graphiql/react";
import type { KeyboardEvent } from "react";
import { useSyncExternalStore } from "react";

import {
  acceptOfferedToken,
  currentToken,
  declineOfferedToken,
  offeredToken,
  onTokenChange,
  setToken,
} from "./token.ts";

/** Browsers offer to keep what is typed into a password's field: this is text. */
export function TokenField() {
  const token = useSyncExternalStore(onTokenChange, currentToken);
  const { run } = useGraphiQLActions();
  const runOnEnter = ({ key }: KeyboardEvent) => {
    if (key === "Enter") run();
  };
  return (
    <>
      <label className="token" title="Sent as X-Auth-Token; forgotten with this tab.">
        <span>Token</span>
        <input
          type="text"
          name="x-auth-token"
          value={token}
          placeholder="openstack token issue -f value -c id"
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          onChange={(event) => setToken(event.currentTarget.value.trim())}
          onKeyDown={runOnEnter}
        />
      </label>
      <OfferedToken />
    </>
  );
}

/** Asks whether a link's token shall replace the present one. */
function OfferedToken() {
  const offered = useSyncExternalStore(onTokenChange, offeredToken);
  if (!offered) return null;
  return (
    <div className="offered-token" role="alert">
      <span>The link brings another token.</span>
      <button type="button" onClick={acceptOfferedToken}>
        Use it
      </button>
      <button type="button" onClick={declineOfferedToken}>
        Keep mine
      </button>
    </div>
  );
}
