// The login page in a real browser: Chromium without a window, driven over its own protocol.
//
// login_page.mjs [PROGRAM]   Node 22 or newer; CHROMIUM names the browser. Screenshots go to target/clients/login-page.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');
const program = process.argv[2] ?? join(root, 'target/release/mcp-daktela');
const chromium = process.env.CHROMIUM ?? 'chromium';
const pictures = join(root, 'target/clients/login-page');
const PATIENCE_MS = 15_000;

// A name with markup in it must come out as text; the challenge is the example of RFC 7636.
const CLIENT_NAME = 'Tests <b>of</b> the page';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

const VIEWS = [
    { name: 'phone-cs', language: 'cs', width: 390, dark: false, title: 'Připojit Daktelu', refusal: 'odmítla', unknown: 'token nezná' },
    { name: 'desk-en-dark', language: 'en', width: 1200, dark: true, title: 'Connect Daktela', refusal: 'refused', unknown: 'does not know' },
];

function expect(fact, what) {
    if (!fact) throw new Error(what);
}

/** The program with the sample company and OAuth, on a free port. */
async function serve() {
    const env = { MCP_TRANSPORT: 'streamable-http', PORT: '0', OAUTH_SECRET: 'fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cDeF0gH1iJ2kA=' };
    const child = spawn(program, ['--demo'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let user;
    for await (const line of createInterface({ input: child.stderr })) {
        const event = JSON.parse(line);
        if (event.event === 'sample_company') user = event;
        if (event.event === 'listening') return { child, base: `http://${event.address}`, user };
    }
    throw new Error('the program does not listen');
}

/** Ends the whole process group: a browser's children outlive it and write to its profile. */
function kill(child) {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
}

/** Removes a folder. The killed processes may still be ending, so the folder is listed anew until it is gone. */
async function remove(folder) {
    for (const end = Date.now() + PATIENCE_MS; ; await new Promise(done => setTimeout(done, 100)))
        try {
            return rmSync(folder, { recursive: true, force: true });
        } catch (error) {
            if (error.code !== 'ENOTEMPTY' || Date.now() > end) throw error;
        }
}

/** A browser with one page, and its protocol as a function. */
async function browse({ language }) {
    const profile = mkdtempSync(join(tmpdir(), 'login-page-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', `--accept-lang=${language}`];
    const child = spawn(chromium, [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'], {
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    process.on('exit', () => kill(child));
    const exited = new Promise(done => child.once('exit', done));
    const port = await new Promise(found => {
        createInterface({ input: child.stderr }).on('line', line => {
            const address = line.match(/ws:\/\/[^:]+:(\d+)/);
            if (address) found(address[1]);
        });
    });
    const tabs = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const socket = new WebSocket(tabs.find(tab => tab.type === 'page').webSocketDebuggerUrl);
    await new Promise(opened => (socket.onopen = opened));
    const waiting = new Map();
    socket.onmessage = ({ data }) => {
        const { id, result } = JSON.parse(data);
        waiting.get(id)?.(result);
    };
    let next = 0;
    const send = (method, params = {}) =>
        new Promise(done => {
            waiting.set(++next, done);
            socket.send(JSON.stringify({ id: next, method, params }));
        });
    const ask = async expression => (await send('Runtime.evaluate', { expression, returnByValue: true })).result?.value;
    const until = async (expression, what) => {
        for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await new Promise(done => setTimeout(done, 50)))
            if (await ask(expression)) return;
        throw new Error(`never: ${what}; the page says ${await ask('document.body?.innerText')}`);
    };
    const close = async () => {
        kill(child);
        await exited;
        await remove(profile);
    };
    return { send, ask, until, close };
}

async function look(view, { base, user }) {
    let answered;
    const client = createServer((request, response) => {
        if (request.url.startsWith('/callback')) answered = request.url;
        response.end('back in the client');
    }).listen(0, '127.0.0.1');
    await new Promise(done => client.once('listening', done));
    const redirect = `http://127.0.0.1:${client.address().port}/callback`;
    const registration = await fetch(`${base}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_name: CLIENT_NAME, redirect_uris: [redirect] }),
    });
    const query = new URLSearchParams({
        response_type: 'code',
        client_id: (await registration.json()).client_id,
        redirect_uri: redirect,
        state: 'x',
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
    });
    const page = await browse(view);
    try {
        await page.send('Emulation.setDeviceMetricsOverride', { width: view.width, height: 950, deviceScaleFactor: 1, mobile: view.width < 600 });
        const scheme = { name: 'prefers-color-scheme', value: view.dark ? 'dark' : 'light' };
        await page.send('Emulation.setEmulatedMedia', { features: [scheme] });
        const picture = async name => {
            const { data } = await page.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
            writeFileSync(join(pictures, `${view.name}-${name}.png`), Buffer.from(data, 'base64'));
        };
        const submit = async fields => {
            for (const [id, value] of Object.entries(fields))
                await page.ask(`document.getElementById(${JSON.stringify(id)}).value = ${JSON.stringify(value)}`);
            await page.ask('document.querySelector("button").click()');
        };
        await page.send('Page.navigate', { url: `${base}/authorize?${query}` });
        await page.until(`document.querySelector("h1")?.textContent === ${JSON.stringify(view.title)}`, view.title);
        await picture('asks');
        expect(await page.ask(`document.body.innerText.includes(${JSON.stringify(CLIENT_NAME)})`), 'the name is text');
        expect(await page.ask('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the screen');
        expect(await page.ask('[...document.querySelectorAll("input:not([type=hidden])")].every(input => input.labels.length === 1)'), 'each field has its label');
        expect(await page.ask('getComputedStyle(document.querySelector("main")).maxWidth !== "none"'), 'the style is loaded');
        const { instance, username, password } = user;
        await submit({ instance, username, password: 'wrong' });
        await page.until(`document.querySelector("[role=alert]")?.textContent.includes(${JSON.stringify(view.refusal)})`, 'a refusal');
        await picture('refuses');
        expect((await page.ask('document.getElementById("username").value')) === username, 'the name is kept');
        expect((await page.ask('document.getElementById("password").value')) === '', 'the password is not');
        // Whoever has no password: the place for a token opens by a click or a key, without any script.
        const seen = 'document.getElementById("token").checkVisibility()';
        expect(await page.ask(seen), 'the place for a token is open where the answer speaks of it');
        await submit({ token: 'none' });
        await page.until(`document.querySelector("[role=alert]")?.textContent.includes(${JSON.stringify(view.unknown)})`, 'a refusal of the token');
        await picture('refuses-token');
        expect((await page.ask('document.getElementById("token").value')) === '', 'the token is not kept');
        expect(await page.ask('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the screen');
        await page.send('Page.navigate', { url: `${base}/authorize?${query}` });
        await page.until('document.getElementById("token") && !document.querySelector("[role=alert]")', 'a fresh page');
        expect(!(await page.ask(seen)), 'the place for a token is closed at first');
        await page.ask('document.querySelector("summary").focus()');
        await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' });
        await page.until(seen, 'the place for a token');
        await picture('takes-token');
        await submit({ instance, token: user.api_token });
        await page.until('document.body.innerText === "back in the client"', 'the way back with a token');
        expect(/[?&]code=mdcode_/.test(answered), `a code in ${answered}`);
        answered = undefined;
        await page.send('Page.navigate', { url: `${base}/authorize?${query}` });
        await page.until('document.getElementById("token")', 'a fresh page');
        await submit({ instance, username, password });
        await page.until('document.body.innerText === "back in the client"', 'the way back');
        expect(/[?&]code=mdcode_/.test(answered), `a code in ${answered}`);
    } finally {
        await page.close();
        client.close();
    }
}

mkdirSync(pictures, { recursive: true });
const server = await serve();
try {
    for (const view of VIEWS) {
        await look(view, server);
        console.log(`ok: the login page, ${view.name}`);
    }
} finally {
    server.child.kill();
}
process.exit(0);
