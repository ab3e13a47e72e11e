/* pk.js: what visitors do on a page; see doc/client.md */
(function () {
	'use strict';

	const VISIT = 1800;					/* seconds */
	const YEAR = 393 * 86400;
	const ID = /^([0-9a-f]{16})(?:\.(\d{1,6})\.(\d{10})\.(\d{10})\.(\d{10})?\.(\d{10})?\.(\d{10}))?$/;
	const FILES = /\.(7z|apk|csv|deb|dmg|docx?|epub|exe|gz|iso|jar|mov|mp[34]|msi|od[pst]|ogg|pdf|pkg|pptx?|rar|rpm|tar|tgz|xlsx?|xz|zip)$/i;
	const ITEM = 'sku name category price quantity';
	const ORDER = 'id revenue subtotal tax shipping discount';
	const settings = {
		idsite: '', url: '', consent: 'not_asked', sessionCookie: true, respectDoNotTrack: false,
		cookies: true, renew: true, domain: '', domains: [], auto: true, links: true, ...window.pkSettings
	};
	const now = () => Math.floor(Date.now() / 1000);
	const random = bytes => [...crypto.getRandomValues(new Uint8Array(bytes))]
		.map(b => (b + 256).toString(16).slice(1)).join('');
	const page = { referrer: document.referrer, landing: location.href, id: random(3) };
	const always = {};					/* parameters of every hit */
	const cart = new Map();
	const memory = {};
	let once = {};						/* parameters of the next page view */
	const waiting = [];
	let ready, timings, hints, observer, routeTimer, beatTimer, seenSince;

	/* A mistake must not break the page. */
	function safely(what) {
		try {
			return what();
		} catch (e) {
			console.error(e);
		}
	}

	/* cookies */

	const keyOf = name => '_pk_' + name + '.' + settings.idsite;

	/* a sandboxed page may not ask */
	function jar(set) {
		try {
			if (set)
				document.cookie = set;
			return '' + document.cookie;
		} catch (e) {
			return '';
		}
	}

	function readCookie(name) {
		const start = keyOf(name) + '=';

		return (jar().split('; ').find(c => c.startsWith(start)) || start).slice(start.length);
	}

	function writeCookie(name, value, age, domain = settings.domain) {
		const set = (v, rest) => jar(keyOf(name) + '=' + v + '; path=/; SameSite=Lax' +
			(location.protocol === 'https:' ? '; Secure' : '') + '; max-age=' + rest);

		/* would be read first */
		if (domain)
			set('', 0);
		set(value, age + (domain && '; domain=' + domain.replace('*', '')));
		return readCookie(name);
	}

	const deleteCookie = (name, domain, rest = location.hostname) => readCookie(name) && rest &&
		(writeCookie(name, '', 0, domain), deleteCookie(name, rest, rest.replace(/^[^.]*\.?/, '')));

	function store(name, value) {
		const key = keyOf(name);
		let kept;

		try {
			if (value !== undefined)
				localStorage.removeItem(key);
			if (value)
				localStorage.setItem(key, value);
			kept = localStorage.getItem(key);
		} catch (e) { /* refused, or full */ }
		if (value !== undefined) {
			deleteCookie(name);
			memory[name] = kept || value && writeCookie(name, value, YEAR) ? '' : value;
		}
		return kept || readCookie(name) || memory[name] || '';
	}

	/* consent */

	function decision() {
		const [said, time] = store('consent').split('.');
		const { ask_again_days: days = 180 } = settings.window || {};

		return /^(granted|denied)$/.test(said) &&
			(settings.consent === 'not_asked' || now() - time < days * 86400) ? said : 'unknown';
	}

	/* identified, anonymous, or '': not at all */
	function allowed() {
		const said = decision();

		if (!settings.idsite || !settings.url || store('ignore') || settings.respectDoNotTrack &&
			(navigator.doNotTrack === '1' || navigator.globalPrivacyControl))
			return '';
		if (said === 'granted' || settings.consent === 'not_asked' && said === 'unknown')
			return 'identified';
		return settings.consent === 'ask_else_anonymous' ? 'anonymous' : '';
	}

	function tidy() {
		const state = settings.cookies && allowed();

		if (state !== 'identified')
			deleteCookie('id');
		if (!state || !settings.sessionCookie)
			deleteCookie('anonymous');
		return state;
	}

	/* Who agrees keeps the id. */
	function identity(isOrder) {
		const time = now();
		const state = tidy();
		const [, session = random(8)] = ID.exec(readCookie('anonymous')) || [];
		let [, id, visits, first, begun, before = '', order = '', last] = ID.exec(readCookie('id')) || [];

		if (state === 'anonymous' && settings.sessionCookie)
			return { _id: writeCookie('anonymous', session, VISIT) };
		if (state !== 'identified')
			return {};
		if (!last)
			[id, visits, first, begun, before, order] = [session, 1, time, time, '', ''];
		else if (time - last > VISIT)
			[visits, before, begun] = [+visits + 1, begun, time];
		deleteCookie('anonymous');
		return writeCookie('id', [id, visits, first, begun, before, isOrder ? time : order, time].join('.'),
			settings.renew ? YEAR : +first + YEAR - time) &&
			{ _id: id, _idvc: visits, _idts: first, _viewts: before, _ects: order };
	}

	function consent(said) {
		const before = allowed();

		if (!said) {
			window.pkConsent = { wanted: 1, ...window.pkConsent };
			return window.pkConsent.open && window.pkConsent.open();
		}
		const isNew = said !== decision();

		if (isNew)
			store('consent', said === 'unknown' ? '' : said + '.' + now());
		if (said !== 'granted')
			page.id = random(3);
		tidy();
		if (ready && page.told && !page.sent)
			trackPage(page.told);
		else if (isNew && page.sent && (said === 'granted' || before === allowed()))
			hit({ ping: said === 'granted' ? 4 : 1 });
	}

	function hit(values) {
		const [h, m, s] = new Date().toTimeString().split(/[: ]/);

		waiting.push({ url: page.url || location.href, urlref: page.referrer, pv_id: page.id, h, m, s,
			res: screen.width + 'x' + screen.height, ...always, ...values });
		if (ready)
			flush();
	}

	function flush() {
		const queries = waiting.splice(0).filter(allowed).map(values => safely(() => {
			const all = { idsite: settings.idsite, rec: 1, send_image: 0, uadata: hints, ...values,
				consent: { granted: 1, denied: 0, unknown: -1 }[decision()], ...identity(values.ec_id) };
			const query = new URLSearchParams();

			if (allowed() !== 'identified')
				delete all.uid;
			if ('action_name' in values) {
				page.sent = true;
				Object.assign(all, timings);
				timings = {};
			}
			for (const name of Object.keys(all))
				/* Matomo's calls have false */
				if (!['', undefined, null, false].includes(all[name]))
					query.set(name, all[name].map ? JSON.stringify(all[name]) : all[name]);
			return '' + query;
		})).filter(q => q);

		seenSince = Date.now();
		while (queries[1])
			post(JSON.stringify({ requests: queries.splice(0, 999).map(q => '?' + q) }));
		if (queries[0])
			post(queries[0]);
	}

	function post(body) {
		const { cookies: credentials, url } = settings;
		const isBeacon = credentials && navigator.sendBeacon;

		if (!isBeacon || !navigator.sendBeacon(url, body))
			fetch(url, { method: 'POST', body, mode: 'no-cors', credentials: credentials ? 'include' : 'omit',
				keepalive: !isBeacon && body.length < 6e4 }).catch(() => {});
	}

	const routeOf = url => /#[!/]/.test(url) ? url : url.replace(/#.*/, '');

	function trackPage(told = {}) {
		const { url = location.href, title = document.title, referrer = page.told ? page.url : page.referrer,
			...values } = told = { ...once, ...told };

		once = {};
		clearTimeout(routeTimer);
		routeTimer = 0;
		Object.assign(page, { url: '' + new URL(url, location.href), title, referrer, sent: false, told: { ...told, referrer },
			id: page.told ? random(3) : page.id });
		page.route = routeOf(location.href);
		hit({ action_name: title, ...values });
	}

	/* What is replaced at once was a redirection. */
	function moved(isReplaced) {
		const url = location.href;

		if (!settings.auto || !page.told || routeOf(url) === page.route)
			return;
		if (routeTimer && !isReplaced)
			trackPage({ url: page.next });
		page.route = routeOf(url);
		page.next = url;
		clearTimeout(routeTimer);
		routeTimer = setTimeout(() => trackPage({ url }), 100);
	}

	function watchRoutes() {
		for (const name of ['pushState', 'replaceState']) {
			const original = history[name];

			Object.defineProperty(history, name, { writable: true, configurable: true, value() {
				if (name === 'pushState')
					safely(begin);
				original.apply(this, arguments);
				safely(() => moved(name === 'replaceState'));
			} });
		}
		for (const name of ['popstate', 'hashchange'])
			addEventListener(name, () => moved());
	}

	const isOwn = host => [location.hostname, settings.domain].concat(settings.domains)
		.some(d => d && ('.' + host).endsWith('.' + d.replace(/^\*?\.?/, '')));

	function clicked(event) {
		const element = event.composedPath().find(e => e.closest);
		const content = element && element.closest('[data-track-content]');
		const link = element && element.closest('a[href],area[href]');

		if (event.button > 1)
			return;
		if (content)
			hit({ ...contentOf(content), c_i: 'click' });
		if (link && settings.links && /^(https?|ftp):/.test(link.protocol))
			if (link.hasAttribute('download') || FILES.test(link.pathname))
				commands.download(link.href);
			else if (!isOwn(link.hostname))
				commands.link(link.href);
	}

	function contentOf(block) {
		const find = selector => block.matches(selector) ? block : block.querySelector(selector);
		const told = name => (find(`[data-content-${name}]`) || block).getAttribute('data-content-' + name);
		const held = (name, tag = '') => (find(`${tag}[${name}]`) || {})[name];
		const piece = told('piece') || held('src');

		return { c_n: told('name') || piece || page.title, c_p: piece, c_t: told('target') || held('href', 'a') };
	}

	function watchContents() {
		observer = observer || new IntersectionObserver(entries => entries.forEach(entry => {
			if (entry.isIntersecting) {
				observer.unobserve(entry.target);
				hit(contentOf(entry.target));
			}
		}), { threshold: 0.5 });
		document.querySelectorAll('[data-track-content]').forEach(e => observer.observe(e));
	}

	function visibilityChanged() {
		if (!document.hidden) {
			seenSince = Date.now();
			return;
		}
		begin();
		if (routeTimer)
			trackPage({ url: page.next });
		else if (page.sent && Date.now() - seenSince > 1000)
			commands.ping();
	}

	function heartbeat(seconds = 15) {
		clearInterval(beatTimer);
		if (+seconds)
			beatTimer = setInterval(() => !document.hidden && page.sent && commands.ping(), Math.max(seconds, 5) * 1000);
	}

	/* commands */

	const named = (names, values) => Object.fromEntries(names.split(' ').map((name, i) => [name, values[i]]));
	const renamed = (names, from, object) => named(names, from.split(' ').map(name => object[name]));
	const sends = names => (...values) => hit(named(names, values));

	function trackCart(order) {
		hit({
			...renamed('ec_id revenue ec_st ec_tx ec_sh ec_dt', ORDER, order),
			idgoal: 0, ec_items: (order.items || [...cart.values()]).map(item => ITEM.split(' ')
				.map(name => item[name] === undefined && name === 'quantity' ? 1 : item[name]))
		});
		if (order.id !== undefined)
			cart.clear();
	}

	const commands = {
		set: (name, value) => {
			settings[name] = value;
			tidy();
		},
		page: trackPage,
		event: sends('e_c e_a e_n e_v'),
		search: sends('search search_cat search_count'),
		goal: sends('idgoal revenue'),
		link: sends('link'),
		download: sends('download'),
		content: sends('c_n c_p c_t c_i'),
		contents: watchContents,
		product: p => Object.assign(once, renamed('_pks _pkn _pkc _pkp', ITEM, p)),
		cart: trackCart,
		order: trackCart,
		dimension: (number, value) => { always['dimension' + number] = value; },
		user: id => { always.uid = id; },
		ping: () => hit({ ping: 1 }),
		heartbeat,
		consent,
		optout: (out = '1') => {
			store('ignore', out);
			tidy();
		},
		optin: () => commands.optout(''),
		state: () => ({ decision: decision(), sends: allowed() || 'nothing', optedOut: !!store('ignore') })
	};

	/* Matomo's calls */
	const next = name => value => { once[name] = value; };
	const calls = {
		setSiteId: ['set', 'idsite'],
		setTrackerUrl: ['set', 'url'],
		setCookieDomain: ['set', 'domain'],
		setDomains: ['set', 'domains'],
		setDoNotTrack: ['set', 'respectDoNotTrack'],
		setCustomUrl: next('url'),
		setDocumentTitle: next('title'),
		setReferrerUrl: next('referrer'),
		setUserId: ['user'],
		resetUserId: ['user'],
		setCustomDimension: ['dimension'],
		deleteCustomDimension: ['dimension'],
		enableLinkTracking: ['set', 'links', true],
		enableHeartBeatTimer: ['heartbeat'],
		disableHeartBeatTimer: ['heartbeat', 0],
		disableCookies: ['set', 'cookies', false],
		requireCookieConsent: ['set', 'cookies', false],
		forgetCookieConsentGiven: ['set', 'cookies', false],
		setCookieConsentGiven: ['set', 'cookies', true],
		rememberCookieConsentGiven: ['set', 'cookies', true],
		requireConsent: ['set', 'consent', 'ask_else_nothing'],
		setConsentGiven: ['consent', 'granted'],
		rememberConsentGiven: ['consent', 'granted'],
		forgetConsentGiven: ['consent', 'denied'],
		optUserOut: ['optout'],
		forgetUserOptOut: ['optin'],
		trackPageView: title => trackPage(title ? { title } : {}),
		trackEvent: ['event'],
		trackSiteSearch: ['search'],
		trackGoal: ['goal'],
		trackLink: (url, kind) => commands[kind === 'download' ? kind : 'link'](url),
		trackContentImpression: ['content'],
		trackContentInteraction: (action, ...content) => commands.content(...content, action),
		trackAllContentImpressions: ['contents'],
		trackVisibleContentImpressions: ['contents'],
		setEcommerceView: (...values) => commands.product(named(ITEM, values)),
		addEcommerceItem: (sku, ...values) => cart.set(sku, named(ITEM, [sku, ...values])),
		removeEcommerceItem: sku => cart.delete(sku),
		clearEcommerceCart: () => cart.clear(),
		trackEcommerceCartUpdate: revenue => trackCart({ revenue }),
		trackEcommerceOrder: (...values) => trackCart(named(ORDER, values))
	};

	/* Not what consent.js tells matomo.js. */
	const run = call => safely(() => {
		const [name, ...values] = call;
		const what = !call.isFromWindow && (commands[name] || calls[name]);

		return what && (what.call ? what(...values) : run(what.concat(values)));
	});

	/* start */

	/* The query may be a campaign. */
	function begin() {
		const t = performance.getEntriesByType('navigation')[0];

		if (ready)
			return;
		timings = {};
		for (const [name, from, to] of ['net fetchStart connectEnd', 'srv requestStart responseStart',
			'tfr responseStart responseEnd', 'dm1 responseEnd domInteractive', 'dm2 domInteractive domComplete',
			'onl loadEventStart loadEventEnd'].map(part => part.split(' ')))
			if (t && t[to])
				timings['pf_' + name] = Math.round(t[to] - t[from]);
		if (settings.auto) {
			const early = waiting.splice(0);

			trackPage({ url: /\?/.test(page.landing) ? page.landing : location.href });
			waiting.push(...early);
		}
		ready = true;
		flush();
	}

	async function prepare() {
		const later = () => setTimeout(begin, 100);

		setTimeout(begin, 1500);
		try {
			hints = JSON.stringify(await navigator.userAgentData.getHighEntropyValues(
				['model', 'platformVersion', 'fullVersionList', 'formFactors']));
		} catch (e) { /* the browser has none */ }
		if (document.readyState === 'complete')
			later();
		else
			addEventListener('load', later);
	}

	function start() {
		if (window.pk && window.pk.isLoaded)
			return;
		const isSetting = c => /^(set|user|dimension|product|require|disable|enable|remember|forget)/.test(c[0]);
		const queue = [].concat(window._paq || [], window.pk && window.pk.q || []).filter(c => c);

		settings.auto = settings.auto && !queue.some(c => /^track/.test(c[0]));
		for (const isFirst of [true, false])
			queue.filter(c => isSetting(c) === isFirst).forEach(run);
		tidy();
		window._paq = { push: (...list) => list.forEach(run) };
		window.pk = (...c) => run(c);
		window.pk.isLoaded = true;
		prepare();
		watchRoutes();
		seenSince = Date.now();
		for (const name of ['click', 'auxclick'])
			document.addEventListener(name, clicked, true);
		document.addEventListener('visibilitychange', visibilityChanged);
		addEventListener('pageshow', event => event.persisted && settings.auto && trackPage());
	}

	/* no image of that name */
	const script = document.currentScript;

	if (script instanceof HTMLScriptElement && script.src)
		settings.url = '' + new URL('matomo.php', script.src);
	if (document.prerendering)
		document.addEventListener('prerenderingchange', start, { once: true });
	else
		start();
})();
