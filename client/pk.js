/*
 * pk.js: tells pk_tracking what visitors do on a page.  Commands, settings,
 * cookies and how it works: doc/client.md.
 */
(function (window, document) {
	'use strict';

	const VISIT = 1800;					/* seconds */
	const YEAR = 393 * 86400;
	const ID = /^[0-9a-f]{16}$/;
	const FILES = /\.(7z|apk|csv|deb|dmg|docx?|epub|exe|gz|iso|jar|mov|mp[34]|mpe?g|msi|od[pst]|ogg|pdf|pkg|pptx?|rar|rpm|tar|tgz|wav|xlsx?|xz|zip)$/i;
	const ITEM = ['sku', 'name', 'category', 'price', 'quantity'];
	const ORDER = ['id', 'revenue', 'subtotal', 'tax', 'shipping', 'discount'];
	const { navigator, location, history } = window;
	const settings = Object.assign({
		idsite: '', url: '', consent: 'not_asked', sessionCookie: true, respectDoNotTrack: false,
		cookies: true, renew: true, domain: '', domains: [], auto: true, links: true
	}, window.pkSettings);
	const page = { referrer: document.referrer };
	const always = {};					/* parameters of every hit */
	const cart = new Map();
	const memory = {};					/* instead of localStorage */
	let once = {};						/* parameters of the next page view */
	let waiting = [];					/* hits */
	let ready, timings, hints, observer, routeTimer, beatTimer, seenSince;
	let seen = 0;		 /* ms */

	const now = () => Math.floor(Date.now() / 1000);
	const random = bytes => Array.from(window.crypto.getRandomValues(new Uint8Array(bytes)),
		b => (b + 256).toString(16).slice(1)).join('');

	/* --- cookies --- */

	const keyOf = name => '_pk_' + name + '.' + settings.idsite;

	function readCookie(name) {
		const start = keyOf(name) + '=';
		const found = document.cookie.split('; ').find(c => c.startsWith(start));

		return found ? found.slice(start.length) : '';
	}

	function writeCookie(name, value, age) {
		document.cookie = keyOf(name) + '=' + value + '; max-age=' + age + '; path=/; SameSite=Lax' +
			(settings.domain && '; domain=' + settings.domain) +
			(location.protocol === 'https:' ? '; Secure' : '');
		return readCookie(name);
	}

	const deleteCookie = name => readCookie(name) && writeCookie(name, '', 0);

	/* Keeps a value, '' forgets it; without one gives it. */
	function store(name, value) {
		try {
			const { localStorage } = window;

			if (value)
				localStorage.setItem(keyOf(name), value);
			else if (value === '')
				localStorage.removeItem(keyOf(name));
			return localStorage.getItem(keyOf(name)) || '';
		} catch (e) {
			return memory[name] = value === undefined ? memory[name] || '' : value;
		}
	}

	/* --- consent --- */

	const decision = () => (/^(granted|denied)/.exec(store('consent')) || ['unknown'])[0];

	/* How hits may go out: identified, anonymous, or not at all (''). */
	function allowed() {
		const said = decision();

		if (!settings.idsite || !settings.url || store('ignore') || settings.respectDoNotTrack &&
			(navigator.doNotTrack === '1' || navigator.globalPrivacyControl))
			return '';
		if (said === 'granted' || settings.consent === 'not_asked' && said === 'unknown')
			return 'identified';
		return settings.consent === 'ask_else_anonymous' ? 'anonymous' : '';
	}

	/* Deletes cookies that are no longer allowed. */
	function tidy() {
		const state = settings.cookies && allowed();

		if (state !== 'identified')
			deleteCookie('id');
		if (!state || !settings.sessionCookie)
			deleteCookie('anonymous');
		return state;
	}

	/* The cookies' parameters.  Who agrees keeps the session's id. */
	function identity(isOrder) {
		const time = now();
		const state = tidy();
		const session = readCookie('anonymous');
		let [id, visits, first, begun, before, order, last] = readCookie('id').split('.');

		if (state === 'anonymous' && settings.sessionCookie)
			return { _id: writeCookie('anonymous', ID.test(session) ? session : random(8), VISIT) };
		if (state !== 'identified')
			return {};
		if (!ID.test(id))
			[id, visits, first, begun, before, order] =
				[ID.test(session) ? session : random(8), 1, time, time, '', ''];
		else if (time - last > VISIT)
			[visits, before, begun] = [+visits + 1, begun, time];
		deleteCookie('anonymous');
		return writeCookie('id', [id, visits, first, begun, before, isOrder ? time : order, time].join('.'),
			settings.renew ? YEAR : +first + YEAR - time) &&
			{ _id: id, _idvc: visits, _idts: first, _viewts: before, _ects: order };
	}

	function consent(said) {
		const before = allowed();

		if (said === undefined) {
			window.pkConsent = Object.assign({ wanted: 1 }, window.pkConsent);
			return window.pkConsent.open && window.pkConsent.open();
		}
		if (said !== decision()) {
			store('consent', said === 'unknown' ? '' : said + '.' + now());
			tidy();
			if (ready && page.id && !page.sent)
				trackPage({ url: page.url, title: page.title, referrer: page.referrer });
			else if (ready && page.id && (said === 'granted' || before === allowed()))
				hit({ ping: said === 'granted' ? 4 : 1 });
		}
	}

	/* --- hits --- */

	function hit(values) {
		const time = new Date();

		waiting.push(Object.assign({
			url: page.url || location.href, urlref: page.referrer, pv_id: page.id,
			h: time.getHours(), m: time.getMinutes(), s: time.getSeconds(),
			res: window.screen.width + 'x' + window.screen.height
		}, always, values));
		if (ready)
			flush();
	}

	function flush() {
		const queries = waiting.filter(allowed).map(values => {
			const all = Object.assign({ idsite: settings.idsite, rec: 1, send_image: 0 }, values,
				{ consent: { granted: 1, denied: 0, unknown: -1 }[decision()], uadata: hints }, identity(values.ec_id));
			const query = new URLSearchParams();

			if (allowed() !== 'identified')
				delete all.uid;
			if ('action_name' in values) {
				page.sent = true;
				Object.assign(all, timings);
				timings = {};
			}
			for (const name in all)
				if (all[name] !== '' && all[name] !== undefined)
					query.set(name, all[name]);
			return '' + query;
		});

		waiting = [];
		seen = 0;
		seenSince = Date.now();
		if (queries.length)
			post(queries[1] ? JSON.stringify({ requests: queries.map(q => '?' + q) }) : queries[0]);
	}

	function post(body) {
		if (!navigator.sendBeacon || !navigator.sendBeacon(settings.url, body))
			window.fetch(settings.url, { method: 'POST', body, mode: 'no-cors', credentials: 'include' })
				.catch(() => {});
	}

	/* --- pages --- */

	const routeOf = url => /#[!/]/.test(url) ? url : url.replace(/#.*/, '');

	function trackPage(options) {
		const { url = location.href, title = document.title, referrer = page.id ? page.url : page.referrer,
			...values } = Object.assign({}, once, options);

		clearTimeout(routeTimer);
		routeTimer = 0;
		once = {};
		Object.assign(page, { url: '' + new URL(url, location.href), title, referrer, id: random(3), sent: false });
		page.route = routeOf(location.href);
		hit(Object.assign({ action_name: title }, values));
	}

	/* Waits for the title; a route that is replaced at once was a redirection. */
	function moved(isReplaced) {
		const url = location.href;

		if (!settings.auto || !page.id || routeOf(url) === page.route)
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

			history[name] = function () {
				original.apply(this, arguments);
				moved(name === 'replaceState');
			};
		}
		for (const name of ['popstate', 'hashchange'])
			window.addEventListener(name, () => moved());
	}

	function readTimings() {
		const t = performance.getEntriesByType('navigation')[0];

		timings = {};
		for (const [name, from, to] of [['net', 'fetchStart', 'connectEnd'], ['srv', 'requestStart', 'responseStart'],
			['tfr', 'responseStart', 'responseEnd'], ['dm1', 'responseEnd', 'domInteractive'],
			['dm2', 'domInteractive', 'domComplete'], ['onl', 'loadEventStart', 'loadEventEnd']])
			if (t && t[to])
				timings['pf_' + name] = Math.round(t[to] - t[from]);
	}

	/* --- links --- */

	const isOwn = host => [location.hostname, settings.domain].concat(settings.domains)
		.some(d => d && ('.' + host).endsWith('.' + d.replace(/^\*?\.?/, '')));

	function clicked(event) {
		const element = event.composedPath().find(e => e.closest);
		const content = element && element.closest('[data-track-content]');
		const link = element && element.closest('a[href], area[href]');

		if (content && event.button < 2)
			hit(Object.assign(contentOf(content), { c_i: 'click' }));
		if (link && event.button < 2 && settings.links && /^(https?|ftp):/.test(link.protocol))
			if (link.hasAttribute('download') || FILES.test(link.pathname))
				commands.download(link.href);
			else if (!isOwn(link.hostname))
				commands.link(link.href);
	}

	function contentOf(block) {
		const find = (name, other, property) => {
			const [told, held] = ['[data-content-' + name + ']', other].map(selector =>
				block.matches(selector) ? block : block.querySelector(selector));

			return told ? told.getAttribute('data-content-' + name) : held ? held[property] : '';
		};
		const piece = find('piece', '[src]', 'src');

		return { c_n: find('name') || piece || page.title, c_p: piece, c_t: find('target', '[href]', 'href') };
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

	const isVisible = () => document.visibilityState === 'visible';

	/* A page that is hidden may never come back. */
	function visibilityChanged() {
		if (isVisible()) {
			seenSince = Date.now();
			return;
		}
		seen += Date.now() - seenSince;
		begin();
		if (routeTimer)
			trackPage({ url: page.next });
		else if (page.sent && seen > 1000)
			commands.ping();
	}

	function heartbeat(seconds) {
		clearInterval(beatTimer);
		if (+seconds)
			beatTimer = setInterval(() => isVisible() && page.sent && commands.ping(), Math.max(seconds, 5) * 1000);
	}

	/* --- commands --- */

	const named = (names, values) => names.reduce((all, name, i) => Object.assign(all, { [name]: values[i] }), {});
	const sends = (...names) => (...values) => hit(named(names, values));

	function trackCart(order) {
		hit(Object.assign(named(['ec_id', 'revenue', 'ec_st', 'ec_tx', 'ec_sh', 'ec_dt'], ORDER.map(name => order[name])), {
			idgoal: 0, ec_items: JSON.stringify((order.items || [...cart.values()]).map(item =>
				ITEM.map(name => item[name] === undefined && name === 'quantity' ? 1 : item[name])))
		}));
		if (order.id !== undefined)
			cart.clear();
	}

	const commands = {
		set: (name, value) => {
			settings[name] = value;
			tidy();
		},
		page: trackPage,
		event: sends('e_c', 'e_a', 'e_n', 'e_v'),
		search: sends('search', 'search_cat', 'search_count'),
		goal: sends('idgoal', 'revenue'),
		link: sends('link'),
		download: sends('download'),
		content: sends('c_n', 'c_p', 'c_t', 'c_i'),
		contents: watchContents,
		product: p => Object.assign(once, { _pks: p.sku, _pkn: p.name, _pkp: p.price,
			_pkc: Array.isArray(p.category) ? JSON.stringify(p.category) : p.category }),
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

	/* Matomo's calls: names of commands, or what to do. */
	const assign = name => value => commands.set(name, value);
	const next = name => value => { once[name] = value; };
	const calls = {
		setSiteId: assign('idsite'),
		setTrackerUrl: assign('url'),
		setCookieDomain: domain => commands.set('domain', domain.replace('*', '')),
		setDomains: assign('domains'),
		setDoNotTrack: assign('respectDoNotTrack'),
		setCustomUrl: next('url'),
		setDocumentTitle: next('title'),
		setReferrerUrl: next('referrer'),
		setUserId: 'user',
		resetUserId: 'user',
		setCustomDimension: 'dimension',
		deleteCustomDimension: 'dimension',
		enableLinkTracking: () => commands.set('links', true),
		enableHeartBeatTimer: (seconds = 15) => heartbeat(seconds),
		disableHeartBeatTimer: heartbeat,
		disableCookies: () => commands.set('cookies', false),
		requireCookieConsent: () => commands.set('cookies', false),
		setCookieConsentGiven: () => commands.set('cookies', true),
		requireConsent: () => commands.set('consent', 'ask_else_nothing'),
		setConsentGiven: () => consent('granted'),
		rememberConsentGiven: () => consent('granted'),
		forgetConsentGiven: () => consent('denied'),
		optUserOut: 'optout',
		forgetUserOptOut: 'optin',
		trackPageView: title => trackPage(title && { title }),
		trackEvent: 'event',
		trackSiteSearch: 'search',
		trackGoal: 'goal',
		trackLink: (url, kind) => commands[kind](url),
		trackContentImpression: 'content',
		trackContentInteraction: (action, ...content) => commands.content(...content, action),
		trackAllContentImpressions: 'contents',
		trackVisibleContentImpressions: 'contents',
		setEcommerceView: (...values) => commands.product(named(ITEM, values)),
		addEcommerceItem: (sku, ...values) => cart.set(sku, named(ITEM, [sku, ...values])),
		removeEcommerceItem: sku => cart.delete(sku),
		clearEcommerceCart: () => cart.clear(),
		trackEcommerceCartUpdate: revenue => trackCart({ revenue }),
		trackEcommerceOrder: (...values) => trackCart(named(ORDER, values)),
		ping: 'ping'
	};

	/* Leaves out unknown calls, and those of consent.js for matomo.js. */
	function run(table, call) {
		const [name, ...values] = call;
		const what = table.hasOwnProperty(name) && !call.isFromWindow ? table[name] : () => {};

		return typeof what === 'string' ? commands[what](...values) : what(...values);
	}

	/* --- start --- */

	function begin() {
		ready = true;
		flush();
	}

	const within = (ms, promise) => Promise.race([promise, new Promise(done => setTimeout(done, ms))]);

	function prepare() {
		const agent = navigator.userAgentData;

		Promise.all([
			within(1500, new Promise(done => document.readyState === 'complete' ? done() :
				window.addEventListener('load', () => setTimeout(done)))).then(readTimings),
			within(300, Promise.resolve(agent && agent.getHighEntropyValues(
				['model', 'platformVersion', 'fullVersionList', 'formFactors'])))
				.then(values => { hints = values && JSON.stringify(values); }, () => {})
		]).then(begin);
	}

	/* What sets something comes before what tracks. */
	function start() {
		const isSetting = c => /^(set|user|dimension|product|require|disable|enable|remember|forget)/.test(c[0]);
		const matomo = [...window._paq || []];
		const own = [...window.pk && window.pk.q || []];
		const early = isWanted => {
			matomo.filter(isWanted).forEach(c => run(calls, c));
			own.filter(isWanted).forEach(c => run(commands, c));
		};

		settings.auto = settings.auto && !matomo.some(c => /^track/.test(c[0]));
		early(isSetting);
		tidy();
		if (settings.auto)
			trackPage();
		early(c => !isSetting(c));
		window._paq = { push: (...list) => list.forEach(c => run(calls, c)) };
		window.pk = (...c) => run(commands, c);
		prepare();
		watchRoutes();
		seenSince = Date.now();
		for (const name of ['click', 'auxclick'])
			document.addEventListener(name, clicked, true);
		document.addEventListener('visibilitychange', visibilityChanged);
		/* back from the cache of pages */
		window.addEventListener('pageshow', event => event.persisted && settings.auto && trackPage());
	}

	if (document.currentScript)
		settings.url = '' + new URL('matomo.php', document.currentScript.src);
	if (document.prerendering)
		document.addEventListener('prerenderingchange', start, { once: true });
	else
		start();
})(window, document);
