/** Asks the gateway: subscriptions over server-sent events, all else by POST. */
import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import type { ExecutionResult, OperationDefinitionNode } from "graphql";
import { getOperationAST, OperationTypeNode, parse } from "graphql";
import { createClient, NetworkError, type RequestParams } from "graphql-sse";

import { currentToken } from "./token.ts";

/** Beside the page, wherever that is. */
const ENDPOINT = "graphql";
const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

interface Sink {
  next(answer: ExecutionResult): void;
  error(reason: unknown): void;
  complete(): void;
}

type Stop = () => void;

/* A stream that is lost is shown as lost: a new one would hide what fell between. */
const events = createClient({
  url: ENDPOINT,
  headers: tokenHeader,
  retryAttempts: 0,
});

/** Every answer is an observable, because GraphiQL can stop nothing else. */
export const fetcher: Fetcher = (asked) => {
  const operation = operationIn(asked);
  const isStream = operation?.operation === OperationTypeNode.SUBSCRIPTION;
  const request = requestFor(asked, operation);
  return observable((sink) =>
    isStream ? subscribe(request, sink) : post(request, sink),
  );
};

function observable(start: (sink: Sink) => Stop): Observable<ExecutionResult> {
  const subscribe = (sink: Sink) => ({ unsubscribe: start(sink) });
  return { subscribe } as Observable<ExecutionResult>;
}

/** For a moment GraphiQL still names an operation of what was there before. */
function operationIn(asked: FetcherParams): OperationDefinitionNode | null {
  try {
    const document = parse(asked.query);
    const named = getOperationAST(document, asked.operationName);
    return named ?? getOperationAST(document) ?? null;
  } catch {
    return null; // The gateway says what is wrong with it.
  }
}

function requestFor(
  { query, variables, operationName }: FetcherParams,
  operation: OperationDefinitionNode | null,
): RequestParams {
  const name = operation ? operation.name?.value : operationName;
  return { query, variables, operationName: name ?? undefined };
}

function post(asked: RequestParams, sink: Sink): Stop {
  const stopping = new AbortController();
  ask(asked, stopping.signal).then(
    (answer) => end(sink, answer),
    (reason) => {
      if (!stopping.signal.aborted) fail(sink, reason);
    },
  );
  return () => stopping.abort();
}

async function ask(
  asked: RequestParams,
  signal: AbortSignal,
): Promise<ExecutionResult> {
  const headers = {
    Accept: ACCEPT,
    "Content-Type": "application/json",
    ...tokenHeader(),
  };
  const body = JSON.stringify(asked);
  const request = { method: "POST", headers, body, signal };
  return answerIn(await fetch(ENDPOINT, request));
}

function subscribe(asked: RequestParams, sink: Sink): Stop {
  return events.subscribe<ExecutionResult["data"]>(asked, {
    next: (answer) => sink.next(answer as ExecutionResult),
    complete: () => sink.complete(),
    error: (reason) => void refused(reason, sink),
  });
}

/** Show the gateway's own answer where there is one instead of a stream. */
async function refused(reason: unknown, sink: Sink): Promise<void> {
  const response = reason instanceof NetworkError ? reason.response : undefined;
  if (!(response instanceof Response)) return fail(sink, reason);
  await answerIn(response).then(
    (answer) => end(sink, answer),
    (unreadable) => fail(sink, unreadable),
  );
}

/** End with what to show; of an Error GraphiQL would show the stack, too. */
function fail(sink: Sink, reason: unknown): void {
  const why = reason instanceof Error ? reason.message : String(reason);
  sink.error({ message: `Nothing more comes from the gateway: ${why}` });
}

function end(sink: Sink, answer: ExecutionResult): void {
  sink.next(answer);
  sink.complete();
}

async function answerIn(response: Response): Promise<ExecutionResult> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP status ${response.status}, without JSON.`);
  }
}

function tokenHeader(): Record<string, string> {
  const token = currentToken();
  return token ? { "X-Auth-Token": token } : {};
}
