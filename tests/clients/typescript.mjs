// Asks the questions of the checks with the official TypeScript SDK, and prints what it understood, in the words of
// the wire.
//
// typescript.mjs v1|auto|legacy|2026-07-28 CHECKS PROGRAM ARGUMENT…   or an address instead of a program
//
// PACKAGES is the folder that npm installed to.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [mode, checks, command, ...args] = process.argv.slice(2);
const require = createRequire(`${process.env.PACKAGES}/`);
const overHttp = command.startsWith('http://');
const server = overHttp ? new URL(command) : { command, args, stderr: 'ignore' };
const me = { name: 'tests', version: '0' };

/** The first SDK. It has a place for a schema of results in a call, and keeps the revision to its transport. */
async function first() {
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
    const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const client = new Client(me);
    const transport = new (overHttp ? StreamableHTTPClientTransport : StdioClientTransport)(server);
    let revision;
    const setProtocolVersion = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = version => {
        revision = version;
        setProtocolVersion?.(version);
    };
    await client.connect(transport);
    return { client, revision, call: (params, options) => client.callTool(params, undefined, options) };
}

async function second() {
    const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
    const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');
    const named = mode === 'auto' || mode === 'legacy';
    const client = new Client(me, { versionNegotiation: { mode: named ? mode : { pin: mode } } });
    await client.connect(new (overHttp ? StreamableHTTPClientTransport : StdioClientTransport)(server));
    const revision = client.getNegotiatedProtocolVersion();
    return { client, revision, call: (params, options) => client.callTool(params, options) };
}

const { client, revision, call } = await (mode === 'v1' ? first() : second());

const requests = {
    'tools/list': () => client.listTools(),
    'tools/call': call,
    'resources/list': () => client.listResources(),
    'resources/templates/list': () => client.listResourceTemplates(),
    'resources/read': params => client.readResource(params),
    'prompts/list': () => client.listPrompts(),
    'prompts/get': params => client.getPrompt(params),
    'completion/complete': params => client.complete(params),
};

/** News that come together with the answer are lost, so a question that wants some is asked a few times. */
async function ask(question) {
    let answer;
    for (let time = 0; time < 10; time++) {
        answer = await askOnce(question);
        if (answer.progress.length >= (question.hear ?? 0)) break;
    }
    return answer;
}

async function askOnce(question) {
    const progress = [];
    const stop = new AbortController();
    const onprogress = ({ progress: done }) => {
        progress.push(done);
        if (question.cancel) stop.abort();
    };
    const options = question.hear ? { onprogress, signal: stop.signal } : {};
    try {
        return { result: await requests[question.ask](question.params, options), progress };
    } catch (failure) {
        if (stop.signal.aborted) return { cancelled: true, progress };
        if (!Number.isInteger(failure.code)) throw failure;
        // The first SDK says more than the server did.
        const message = failure.message.replace(/^MCP error -\d+: /, '');
        return { error: { code: failure.code, message }, progress };
    }
}

const answers = [];
for (const question of JSON.parse(readFileSync(checks, 'utf8'))) answers.push(await ask(question));
const hello = { revision, server: client.getServerVersion(), instructions: client.getInstructions() };
await client.close();
console.log(JSON.stringify({ hello, answers }));
