/*
 * Pages that are odd: names that stand before the window's, frozen prototypes, web
 * components; mistakes that must cost nothing else; and answers that come back.
 */
'use strict';

const { ok, is, sql, until, sleep, hits, world, context, open, views, viewed, sent, quiet } = require('../helpers.js');

const tests = module.exports = {};

const answer = (where, site, said, days = 0) => where.addInitScript(([name, value]) => {
	if (location.hostname === 'shop.test' && !sessionStorage.getItem('told')) {
		localStorage.setItem(name, value);
		sessionStorage.setItem('told', '1');
	}
}, [`_pk_consent.${world.sites[site]}`, said + '.' + Math.floor(Date.now() / 1000 - days * 86400)]);

/* Elements of a stranger's text whose names are those of the queues. */
tests.named = async () => {
	let where = await context();
	const clobber = () => new MutationObserver((list, observer) => {
		if (document.head) {
			observer.disconnect();
			for (const id of ['_paq', 'pk', 'pkConsent'])
				document.head.append(Object.assign(document.createElement('a'), { id }));
		}
	}).observe(document, { childList: true, subtree: true });

	await where.addInitScript(clobber);
	let page = await open(where, 'hostile');

	await quiet(page);
	is(`${views().length} ${page.faults.join()}`, '1 ', 'elements named as the queues: the page view is sent');
	await where.close();

	where = await context();
	await where.addInitScript(clobber);
	page = await open(where, 'ask_else_nothing');
	await quiet(page);
	is(`${await page.getByRole('dialog').isVisible()} ${page.faults.join()}`, 'true ', 'elements named as the queues: the window opens');
	await where.close();
};

/* What cannot be written must not cost the other hits that wait. */
tests.unwritable = async () => {
	const where = await context();

	await where.addInitScript(() => {
		const ring = [];

		ring.push(ring);
		window.pk = function () { window.pk.q.push(arguments); };
		window.pk.q = [['event', Symbol('no'), 'x'], ['cart', { revenue: 1, items: [{ sku: ring }] }], ['event', 'good', 'one']];
	});
	const page = await open(where, 'hostile');

	await sent({ e_c: 'good' });
	await quiet(page);
	is(hits.map(h => h.action_name || h.e_c).join() + page.faults.join(), 'Shop,good', 'what cannot be written: the hits beside it are sent');
	await page.evaluate(() => {
		window._paq.push(['setCustomUrl', 'https://['], ['trackPageView', 'bad'], ['trackPageView', 'next']);
	});
	await sent({ action_name: 'next' });
	is(views().map(h => h.action_name).join(), 'Shop,next', 'an address that is none: the page views after it are sent');
	await where.close();
};

/* A page that freezes what it does not want to be changed. */
tests.frozen = async () => {
	const where = await context();

	await where.addInitScript(() => {
		for (const kind of [History, Object, Array, Function, Element, HTMLElement, Document, Storage])
			Object.freeze(kind.prototype);
	});
	const page = await open(where, 'hostile');

	await viewed(1);
	await page.click('#file');
	ok(await sent({ download: world.shop + '/files/list.pdf' }), 'frozen prototypes: downloads are tracked');
	await page.click('#route');
	await viewed(2);
	is(`${views().length} ${page.faults.join()}`, '2 ', 'frozen prototypes: routes, too');
	await where.close();
};

/* The link back to the window in a web component, and in a page that stops clicks. */
tests.component = async () => {
	const where = await context();

	await answer(where, 'ask_else_nothing', 'granted');
	const page = await open(where, 'ask_else_nothing');

	await viewed(1);
	await page.evaluate(() => {
		const footer = document.createElement('div');
		const link = Object.assign(document.createElement('a'), { href: '#pk-consent', textContent: 'in a component' });

		footer.attachShadow({ mode: 'open' }).append(link);
		document.body.append(footer);
		document.body.addEventListener('click', e => e.stopPropagation());
	});
	await page.getByText('in a component').click();
	is(await page.getByRole('dialog').isVisible(), true, 'a link in a web component opens the window');
	await page.keyboard.press('Escape');
	await page.click('#consent');
	is(await page.getByRole('dialog').isVisible(), true, 'and one whose clicks the page stops');
	await where.close();
};

/* Symbols stand in many blocks; their href is no text. */
tests.symbols = async () => {
	const where = await context();
	const page = await open(where, 'hostile');

	await viewed(1);
	await page.evaluate(() => {
		const block = document.createElement('div');
		const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
		const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');

		use.setAttribute('href', '#star');
		svg.append(use);
		block.setAttribute('data-track-content', '');
		block.dataset.contentName = 'Symbols';
		block.append(svg, Object.assign(document.createElement('a'), { href: '/film', textContent: 'film' }));
		document.body.prepend(block);
		window.pk('contents');
	});
	is((await sent({ c_n: 'Symbols' })).c_t, world.shop + '/film', 'content with a symbol: the target is that of the link');
	await where.close();
};

/* Rows before and after a withdrawal have nothing in common, also on one page. */
tests.unlinked = async () => {
	const where = await context();

	await answer(where, 'ask_else_anonymous', 'granted');
	const page = await open(where, 'ask_else_anonymous');

	await viewed(1);
	await page.evaluate(() => {
		window.pk('consent', 'denied');
		window.pk('event', 'after', 'withdrawal');
	});
	const after = await sent({ e_c: 'after' });

	ok(after.consent === '0' && after._id !== hits[0]._id, 'withdrawn: another id');
	ok(after.pv_id !== hits[0].pv_id, 'withdrawn: another id of the page view', after.pv_id);
	await where.close();
};

/* The cookie of a domain that this page does not know. */
tests.wide = async () => {
	const where = await context();

	await where.addCookies([{ name: '_pk_id.' + world.sites.hostile, value: '0123456789abcdef.1.1700000000.1700000000...1700000000', domain: '.shop.test', path: '/' }]);
	const page = await open(where, 'hostile');

	await viewed(1);
	await page.evaluate(() => window.pk('consent', 'denied'));
	is((await where.cookies()).map(c => c.domain).join(), '', 'withdrawn: the id goes, also the one of a wider domain');
	await where.close();
};

/* Who refused unasked is not asked, so that holds for matomo.js, too. */
tests.holds = async () => {
	const where = await context();

	await where.route(/matomo\.js/, route => route.abort());
	await answer(where, 'not_asked', 'denied', 3000);
	const page = await open(where, 'not_asked', '?matomo&window');

	is(await page.evaluate(() => window._paq.filter(c => c.isFromWindow).map(c => [...c].join(' ')).join()),
		'appendToTrackingUrl consent=0,requireConsent', 'matomo.js: a refusal unasked has no end');
	await where.close();
};

/* A page that waited in the browser's cache has not heard what was decided meanwhile. */
tests.returns = async () => {
	const where = await context();

	await where.route(/matomo\.js/, route => route.abort());
	await answer(where, 'ask_else_anonymous', 'granted');
	const page = await open(where, 'ask_else_anonymous', '?matomo');

	await quiet(page);
	await page.evaluate(key => {
		window._paq.length = 0;
		dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
		localStorage.setItem(key, 'denied.' + Math.floor(Date.now() / 1000));
		dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
	}, '_pk_consent.' + world.sites.ask_else_anonymous);
	await sleep(300);
	is(await page.evaluate(() => window._paq.filter(c => c.isFromWindow).map(c => [...c].join(' ')).join()), 'appendToTrackingUrl consent=0,disableCookies,deleteCookies',
		'back from the cache: matomo.js hears what was withdrawn');
	await where.close();
};

/* The server takes the first 1,000 of a document that has no token. */
tests.many = async () => {
	const where = await context();

	await where.addInitScript(() => {
		window.pk = function () { window.pk.q.push(arguments); };
		window.pk.q = [...Array(1200).keys()].map(i => ['event', 'many', 'n' + i]);
	});
	await open(where, 'back');
	await until(() => hits.filter(h => h.e_c === 'many').length >= 1200);
	is(sql(`SELECT count(*) FROM pk_tracking.action WHERE idsite = ${world.sites.back} AND kind = 'event'`), '1200', 'a long queue: all of it is in the log');
	await where.close();
};
