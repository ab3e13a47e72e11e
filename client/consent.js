/*
 * consent.js: asks visitors whether they agree to be recognised.  The server puts
 * the site's settings in front of this file (window.pkSettings, whose member
 * "window" holds texts, colours and position).  The answer stays in the browser;
 * pk.js, or a matomo.js on the page, learns it from here.
 *
 * Elements with the attribute data-pk-consent, links to #pk-consent and
 * pk('consent') open the window again.  Documented in doc/client.md.
 */
(function (window, document) {
	'use strict';

	const TEXTS = {
		en: { title: 'May we recognise you?',
			text: 'If you agree, we store a number in your browser and recognise you by it when you come back. ' +
				'It tells us which pages help. You can change your mind at any time.',
			agree: 'Agree', refuse: 'Refuse', policy: 'Privacy policy' },
		de: { title: 'Dürfen wir Sie wiedererkennen?',
			text: 'Wenn Sie zustimmen, speichern wir eine Nummer in Ihrem Browser und erkennen Sie daran wieder. ' +
				'So sehen wir, welche Seiten helfen. Sie können Ihre Wahl jederzeit ändern.',
			agree: 'Zustimmen', refuse: 'Ablehnen', policy: 'Datenschutz' },
		fr: { title: 'Pouvons-nous vous reconnaître ?',
			text: 'Si vous acceptez, nous gardons un numéro dans votre navigateur pour vous reconnaître à votre retour. ' +
				'Nous voyons ainsi quelles pages sont utiles. Vous pouvez changer d’avis à tout moment.',
			agree: 'Accepter', refuse: 'Refuser', policy: 'Confidentialité' },
		pl: { title: 'Czy możemy Cię rozpoznawać?',
			text: 'Jeśli się zgodzisz, zapiszemy w przeglądarce numer, po którym rozpoznamy kolejne wizyty. ' +
				'Dzięki temu wiemy, które strony pomagają. Decyzję można zmienić w każdej chwili.',
			agree: 'Zgadzam się', refuse: 'Odmawiam', policy: 'Polityka prywatności' }
	};
	const settings = window.pkSettings || {};
	const config = Object.assign({
		texts: TEXTS, position: 'bottom', ask_again_days: 180,
		colors: { background: '#ffffff', text: '#1f2328', button: '#1a4f8b', button_text: '#ffffff' }
	}, settings.window);
	const MONTHS_13 = 393 * 86400;		/* seconds */
	const key = '_pk_consent.' + settings.idsite;
	const asks = settings.consent !== 'not_asked';
	const wanted = window.pkConsent && window.pkConsent.wanted;
	let host, dialog, opener, told;
	let memory = '';					/* the answer, where the browser stores nothing */

	/* a second tag */
	if (window.pkConsent && window.pkConsent.open)
		return;

	/* The texts in the page's language, else in the visitor's, else the first. */
	function chooseTexts() {
		const given = config.texts;

		for (const language of [document.documentElement.lang, ...window.navigator.languages || []])
			for (const name of [language.toLowerCase(), language.toLowerCase().split('-')[0]])
				if (Object.prototype.hasOwnProperty.call(given, name))
					return Object.assign({ lang: name }, given[name]);
		const first = given.en ? 'en' : Object.keys(given)[0];

		return Object.assign({ lang: first }, given[first]);
	}

	/* The kept answer, such as granted.1700000000, or ''. */
	function stored() {
		let kept = '';

		try {
			kept = window.localStorage.getItem(key);
		} catch (e) { /* refused */ }
		try {
			kept = kept || document.cookie.split('; ').find(c => c.startsWith(key + '=')).slice(key.length + 1);
		} catch (e) { /* there is none, or the page is sandboxed */ }
		return kept || memory;
	}

	/* Keeps an answer in the storage; if that is refused or full in a cookie, or else for this page.  '': forgets it. */
	function keep(answer) {
		const setCookie = (value, age) => {
			document.cookie = key + '=' + value + '; path=/; SameSite=Lax; max-age=' + age +
				(window.location.protocol === 'https:' ? '; Secure' : '');
		};

		memory = '';
		try {
			window.localStorage.removeItem(key);
			if (answer)
				window.localStorage.setItem(key, answer);
		} catch (e) { /* refused, or full */ }
		try {
			setCookie('', 0);
			if (answer && !stored())
				setCookie(answer, MONTHS_13);
		} catch (e) { /* the page is sandboxed */ }
		memory = stored() ? '' : answer;
	}

	/* granted, denied, or unknown: no answer, or one that is too old where the site asks */
	function decision() {
		const [said, time] = stored().split('.');

		return /^(granted|denied)$/.test(said) &&
			(!asks || Date.now() / 1000 - time < config.ask_again_days * 86400) ? said : 'unknown';
	}

	/*
	 * What matomo.js is told: with its own calls, and with the parameter that the
	 * server reads.  Before matomo.js has loaded its queue is an array, and these
	 * calls must stand before those of the page.  pk.js leaves them out.
	 */
	function tellMatomo(said, isChange) {
		const calls = [['appendToTrackingUrl', 'consent=' + { granted: 1, denied: 0, unknown: -1 }[said]]];
		/* an element may have that name */
		const queue = window._paq = window._paq && window._paq.push ? window._paq : [];

		if (settings.consent === 'ask_else_nothing' || !asks && said === 'denied') {
			calls.push(['requireConsent']);
			if (said === 'granted')
				calls.push(['setConsentGiven']);
			else if (isChange)
				calls.push(['forgetConsentGiven']);
		} else if (!asks) {
			if (isChange && said === 'granted')
				calls.push(['setConsentGiven']);
		} else if (said !== 'granted')
			calls.push(['disableCookies']);
		else if (isChange)
			calls.push(['setCookieConsentGiven']);
		if (isChange && said !== 'granted')
			calls.push(['deleteCookies']);
		told = said;
		calls.forEach(call => { call.isFromWindow = true; });
		if (Array.isArray(queue))
			queue.unshift(...calls);
		else
			queue.push(...calls);
	}

	function decide(said) {
		/* pk.js compares the answer with the one before: tell it first */
		window.pk('consent', said);
		keep(said + '.' + Math.floor(Date.now() / 1000));
		close();
		tellMatomo(said, true);
	}

	/* Something else has decided. */
	function hear() {
		const said = decision();

		window.pk('consent', said);
		if (said !== 'unknown')
			close();
		tellMatomo(said, true);
	}

	/* ---- the window ---- */

	const style = c => `
		:host { all: initial }
		dialog { box-sizing: border-box; max-width: min(40rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem);
			overflow: auto; padding: 1.5rem; border: 1px solid ${c.text}; border-radius: .5rem;
			font: 1rem/1.5 system-ui, sans-serif; color: ${c.text}; background: ${c.background} }
		dialog.bottom { margin-bottom: 1rem }
		dialog.top { margin-top: 1rem }
		dialog::backdrop { background: rgb(0 0 0 / .5) }
		h2 { margin: 0 0 .5rem; font-size: 1.25rem; outline: none }
		p { margin: 0 0 1rem; white-space: pre-line }
		a { color: inherit }
		div { display: flex; flex-wrap: wrap; gap: .75rem }
		button { flex: 1 1 10rem; min-height: 2.75rem; padding: .5rem 1rem; border: 2px solid ${c.button};
			border-radius: .25rem; font: inherit; font-weight: 600; cursor: pointer;
			color: ${c.button_text}; background: ${c.button} }
		a:focus-visible, button:focus-visible { outline: 3px solid ${c.text}; outline-offset: 2px }
		@media (prefers-reduced-motion: no-preference) { dialog[open] { animation: rise .15s ease-out } }
		@keyframes rise { from { opacity: 0; transform: translateY(.5rem) } }`;

	function element(name, text, attributes) {
		const made = Object.assign(document.createElement(name), attributes);

		made.textContent = text || '';
		return made;
	}

	function button(text, said) {
		const made = element('button', text, { type: 'button' });

		made.addEventListener('click', () => decide(said));
		return made;
	}

	function build() {
		const texts = chooseTexts();

		host = element('div', '', { id: 'pk-consent-window' });
		const root = host.attachShadow({ mode: 'open' });
		const sheet = new window.CSSStyleSheet();
		const buttons = element('div');
		const text = element('p', texts.text, { id: 'text' });

		sheet.replaceSync(style(config.colors));
		root.adoptedStyleSheets = [sheet];
		dialog = element('dialog', '', { className: config.position, lang: texts.lang, dir: 'auto' });
		dialog.setAttribute('aria-labelledby', 'title');
		dialog.setAttribute('aria-describedby', 'text');
		buttons.append(button(texts.refuse, 'denied'), button(texts.agree, 'granted'));
		/* the title has the focus first: on a button it would add to its weight */
		dialog.append(element('h2', texts.title, { id: 'title', tabIndex: -1, autofocus: true }), text);
		if (config.policy_url)
			text.append(' ', element('a', texts.policy, { href: config.policy_url }));
		dialog.append(buttons);
		/* Escape closes the window: the visitor has not decided */
		dialog.addEventListener('close', () => {
			if (opener && opener.focus)
				opener.focus();
		});
		root.append(dialog);
	}

	function open() {
		if (!dialog)
			build();
		/* a page may exchange its whole body */
		if (!host.isConnected) {
			dialog.close();
			document.body.append(host);
		}
		if (dialog.open)
			return;
		opener = document.activeElement;
		dialog.showModal();
	}

	function close() {
		if (dialog && dialog.open)
			dialog.close();
	}

	/* ---- the start ---- */

	if (typeof window.pk !== 'function') {
		window.pk = function () {
			window.pk.q.push(arguments);
		};
		window.pk.q = [];
	}
	window.pkConsent = { open, decision };
	/* forgets an answer that is too old */
	if (asks && decision() === 'unknown')
		keep('');
	if (asks || decision() !== 'unknown')
		tellMatomo(decision(), false);
	told = decision();
	/* another tab has been told; after it, so that both have the cookie that it sets */
	window.addEventListener('storage', event => event.key === key && setTimeout(hear, 300));
	/* so may one have been while the browser's cache kept this page; pk.js first tells that it is back */
	window.addEventListener('pageshow', event => event.persisted && setTimeout(() => decision() !== told && hear()));
	/* before the page can stop it, and also in its components */
	document.addEventListener('click', event => {
		const isLink = e => e instanceof window.Element &&
			window.Element.prototype.matches.call(e, '[data-pk-consent], a[href="#pk-consent"]');

		if (event.composedPath().some(isLink)) {
			event.preventDefault();
			open();
		}
	}, true);

	function begin() {
		if (wanted || asks && decision() === 'unknown')
			open();
	}

	if (document.body)
		begin();
	else
		document.addEventListener('DOMContentLoaded', begin);
})(window, document);
