/*
 * What pages tell, and when.
 */
'use strict';

const { ok, is, sql, until, sleep, hits, world, some, context, open, views, viewed, sent, quiet, cookiesOf } = require('../helpers.js');

const tests = module.exports = {};

tests.features = async () => {
	const where = await context();
	const page = await open(where, 'plain', '?a=1');

	await viewed(1);
	let hit = hits[0];
	is([hit.action_name, hit.url, hit.res, hit.method, hit.status].join(' '), `Shop ${world.shop}/${world.sites.plain}/?a=1 1280x720 POST 204`, 'page view');
	ok(/^\d+$/.test(hit.pf_srv) && /^\d+$/.test(hit.pf_onl), 'page view: performance', JSON.stringify(hit));
	ok(/"fullVersionList"/.test(hit.uadata), 'page view: Client Hints', hit.uadata);
	ok(/^[0-9a-f]{16}$/.test(hit._id) && hit._idvc === '1' && !hit._viewts, 'page view: a new visitor');
	const id = hit._id;

	await page.click('#play');
	hit = await sent({ e_c: 'Film' });
	is(hit && [hit.e_a, hit.e_n, hit.e_v, hit._id].join(' '), `play Trailer 7 ${id}`, 'event');
	await page.click('#file');
	hit = await sent({ download: world.shop + '/files/list.pdf' });
	ok(hit && !hit.link, 'download');
	await page.click('#out');
	hit = await sent({ link: 'https://elsewhere.test/x?y=1' });
	ok(hit && !hit.download, 'outlink');
	ok(!hits.some(h => h.c_n), 'a content is not looked for unasked');
	await page.evaluate(() => window.pk('contents'));
	hit = await sent({ c_n: 'Offer' });
	is(hit && [hit.c_p, hit.c_t, hit.c_i].join(' '), 'film.png /film ', 'content: seen');
	await page.click('#offer');
	hit = await sent({ c_i: 'click' });
	is(hit && [hit.c_n, hit.c_p, hit.c_t].join(' '), 'Offer film.png /film', 'content: clicked');
	is(views().length, 1, 'a link within the page is no page view');
	await page.click('#route');
	await viewed(2);
	is(views()[1] && [views()[1].action_name, views()[1].url, views()[1].urlref].join(' '),
		`Film ${world.shop}/${world.sites.plain}/film?id=7 ${world.shop}/${world.sites.plain}/?a=1`, 'route of a single-page app');
	ok(views()[1].pv_id !== views()[0].pv_id && views()[1].pf_srv === undefined, 'route: a page view of its own');
	await page.evaluate(() => history.back());
	await viewed(3);
	is(views()[2].url, `${world.shop}/${world.sites.plain}/?a=1#offer`, 'route: back');
	is(page.faults.join(), '', 'the policy of the page and its scripts agree');
	await until(() => +sql(`SELECT count(*) FROM pk_tracking.action WHERE idsite = ${world.sites.plain}`) === 8);
	is(sql(`SELECT count(DISTINCT idvisit), string_agg(kind, ' ' ORDER BY idlink_va) FROM pk_tracking.action WHERE idsite = ${world.sites.plain}`),
		'1 page event download outlink content content page page', 'all are rows of one visit');
	await where.close();
};

tests.calls = async () => {
	const where = await context();
	const page = await open(where, 'calls', '?calls');

	await viewed(1);
	await sent({ c_n: 'Ad' });
	is(views().map(h => h.action_name).join(), 'Said', "Matomo's calls: the page says what is a page view");
	is(hits[0].dimension1, 'gold', "Matomo's calls: what is set comes first");
	ok(hits.some(h => h.search === 'red' && h.search_cat === 'Shoes' && h.search_count === '3'), 'search');
	ok(hits.some(h => h.idgoal === '1' && h.revenue === '2.5'), 'goal');
	ok(hits.some(h => h.idgoal === '0' && !h.ec_id && h.revenue === '19'), 'cart');
	const order = hits.find(h => h.ec_id === 'o1');

	is(order && order.ec_items, '[["sku1","Film",["Films","New"],9.5,2]]', 'order');
	is(order && [order.revenue, order.ec_st, order.ec_tx, order.ec_sh, order.ec_dt].join(' '), '20 19 1 0 0', 'order: its amounts');
	ok(order && order.together > 1 && order.status === 200, 'hits that waited go together');
	await page.evaluate(() => window.pk('event', 'after', 'order'));
	const after = await sent({ e_c: 'after' });

	ok(after && +after._ects > Date.now() / 1000 - 60, 'the time of the order is sent from then on');
	is(sql(`SELECT count(DISTINCT idvisit), string_agg(kind, ' ' ORDER BY idlink_va) FROM pk_tracking.action WHERE idsite = ${world.sites.calls}`),
		'1 page search content event', 'rows of the log');
	is(sql(`SELECT idgoal, idorder, revenue FROM pk_tracking.log_conversion WHERE idsite = ${world.sites.calls} AND idgoal = 0`),
		'0 o1 20', 'the order in the log');
	await where.close();
};

tests.queue = async () => {
	const where = await context();

	await open(where, 'calls', '?queue');
	await sent({ e_c: 'early' });
	is(hits.map(h => h.action_name || h.e_c).join(), 'Shop,early', "what the page said before: the page view, then the event");
	is([hits[0].uid, hits[0].dimension1, hits[0]._pks, hits[0]._pkc, hits[0]._pkp].join(' '), 'jo gold sku1 ["Films","New"] 9.5', 'and what it set is in both');
	is(hits[1].uid + hits[1].dimension1 + hits[1]._pks, 'jogoldundefined', 'but a product is of one page view');
	await where.close();
};

/* Each command, as parameters; orders and events of a visitor who is anonymous have no user id. */
tests.commands = async () => {
	const where = await context();
	const page = await open(where, 'ask_else_anonymous', '?lang=en');
	const told = hit => {
		const { idsite, rec, send_image, url, urlref, pv_id, h, m, s, res, method, cookie, together, status, uadata, consent, _id, ...rest } = hit;

		return new URLSearchParams(Object.entries(rest)).toString();
	};

	await viewed(1);
	await page.evaluate(() => {
		const items = [{ sku: 's1', name: 'Film', category: ['A', 'B'], price: 9.5, quantity: 2 }, { sku: 's2' }];

		window.pk('user', 'jo');
		window.pk('dimension', 3, 'gold');
		window.pk('event', 'c', 'a', 'n', 0);
		window.pk('dimension', 3);
		window.pk('search', 'red', 'shoes', 0);
		window.pk('goal', 7, 2.5);
		window.pk('link', 'https://elsewhere.test/');
		window.pk('download', 'https://elsewhere.test/a.zip');
		window.pk('content', 'n', 'p', 't', 'i');
		window.pk('cart', { revenue: 19, items });
		window.pk('order', { id: 'o1', revenue: 21, subtotal: 19, tax: 1, shipping: 1, discount: 0, items });
		window.pk('ping');
		window.pk('product', { sku: 's1', name: 'Film', category: 'A', price: 9.5 });
		window.pk('page', { title: 'Film', url: '/film', referrer: 'https://elsewhere.test/from', bw_bytes: 5 });
	});
	await until(() => hits.length >= 11);
	const cart = 'ec_items=' + encodeURIComponent('[["s1","Film",["A","B"],9.5,2],["s2",null,null,null,1]]').replace(/%20/g, '+');

	is(hits.slice(1).map(told).sort().join('\n'), ['dimension3=gold&e_c=c&e_a=a&e_n=n&e_v=0', 'search=red&search_cat=shoes&search_count=0', 'idgoal=7&revenue=2.5',
		'link=https%3A%2F%2Felsewhere.test%2F', 'download=https%3A%2F%2Felsewhere.test%2Fa.zip', 'c_n=n&c_p=p&c_t=t&c_i=i',
		'revenue=19&idgoal=0&' + cart, 'ec_id=o1&revenue=21&ec_st=19&ec_tx=1&ec_sh=1&ec_dt=0&idgoal=0&' + cart, 'ping=1',
		'action_name=Film&_pks=s1&_pkn=Film&_pkc=A&_pkp=9.5&bw_bytes=5'].sort().join('\n'), 'commands as parameters, without a user id of the anonymous');
	is([views()[1].url, views()[1].urlref].join(), world.shop + '/film,https://elsewhere.test/from', 'a page view with an address of its own');
	await page.getByRole('button', { name: 'Agree' }).click();
	await sent({ ping: '4' });
	await page.evaluate(() => window.pk('event', 'agreed', 'now'));
	is((await sent({ e_c: 'agreed' })).uid, 'jo', 'with one of who has agreed');
	await where.close();
};

tests.time = async () => {
	const where = await context();
	const page = await where.newPage();

	await page.clock.install();
	await open(page, 'time');
	await page.clock.runFor(3000);
	await viewed(1);
	await page.evaluate(() => window.pk('heartbeat', 10));
	await page.clock.runFor(11000);
	ok(await sent({ ping: '1' }), 'heartbeat');
	const before = hits.length;

	await page.evaluate(() => {
		Object.defineProperty(document, 'hidden', { value: true, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await page.clock.runFor(60000);
	await sleep(300);
	ok(hits.length <= before + 1, 'no heartbeat of a hidden page', hits.length - before);
	await where.close();
};

tests.tabs = async () => {
	const where = await context();
	const one = await open(where, 'tabs');

	await viewed(1);
	await open(where, 'tabs', 'next.html');
	await viewed(2);
	is(hits[1]._id, hits[0]._id, 'two tabs are one visitor');
	await open(one, 'tabs', 'next.html');
	await viewed(3);
	const other = await world.browser.newContext({ ignoreHTTPSErrors: true });

	await open(other, 'tabs');
	await viewed(4);
	ok(views()[3]._id !== hits[0]._id, 'a private window is another visitor');
	await other.close();
	await where.close();
};

tests.back = async () => {
	const where = await context();
	const page = await open(where, 'back');

	await viewed(1);
	await page.evaluate(() => window.addEventListener('pageshow', e => { window.cameBack = e.persisted; }));
	await page.click('#next');
	await viewed(2);
	await page.evaluate(() => { setTimeout(() => history.back()); });
	await viewed(3);
	ok(await page.evaluate(() => window.cameBack), 'the page came from the cache of pages');
	is(views().map(h => h.url.replace(/.*\//, '')).join(), ',next.html,', 'back-forward cache: a page view again');
	ok(views()[2].pv_id !== views()[0].pv_id, 'back-forward cache: with an id of its own');
	await where.close();
};

tests.blocked = async () => {
	let where = await context();
	let page = await where.newPage();
	const control = await where.newCDPSession(page);

	await control.send('Emulation.setDocumentCookieDisabled', { disabled: true });
	await open(page, 'blocked');
	await viewed(1);
	is(hits[0]._id, undefined, 'blocked cookies: no id, which would be another for each page');
	is((await cookiesOf(where, 'shop.test')).length, 0, 'blocked cookies: none is there');
	await where.close();

	where = await context();
	await where.route(/stats\.shop\.test/, route => route.abort());
	page = await open(where, 'blocked');
	await page.click('#play');
	is(await page.evaluate(() => document.documentElement.dataset.whole + typeof window.pk), 'yesfunction', 'a blocked script leaves the page whole');
	is(page.faults.join(), '', 'and breaks nothing');
	is(hits.length, 0, 'and nothing is sent');
	await where.close();

	for (const signal of some(1, ['globalPrivacyControl', 'doNotTrack'])) {
		where = await context();
		await where.addInitScript(name => Object.defineProperty(navigator, name, { value: name === 'doNotTrack' ? '1' : true }), signal);
		page = await open(where, 'respects');
		await quiet(page);
		is(hits.length + ' ' + (await where.cookies()).length, '0 0', `${signal}: nothing is sent or stored where the site respects it`);
		page = await open(where, 'blocked');
		await viewed(1);
		is(views().length, 1, `${signal}: a site that does not respect it`);
		await where.close();
	}

	where = await context();
	page = await open(where, 'blocked');
	await viewed(1);
	await page.evaluate(() => window.pk('optout'));
	await open(page, 'blocked', 'next.html');
	await quiet(page);
	is(views().length + ' ' + (await cookiesOf(where, 'shop.test')).length, '1 0', 'who opts out sends nothing and keeps no cookie');
	await page.evaluate(() => window.pk('optin'));
	await open(page, 'blocked');
	await viewed(2);
	is(views().length, 2, 'until the visitor opts in');
	await where.close();
};

/*
 * Default rules: the log does not find a visit of yesterday, so the cookie must tell.
 */
tests.returning = async () => {
	const where = await context();
	const site = world.sites.returning;
	let page = await open(where, 'returning');

	await viewed(1);
	await page.evaluate(() => window.pk('order', { id: 'o1', revenue: 5 }));
	await sent({ ec_id: 'o1' });
	await page.close();
	await sleep(300);
	/* a day passes: in the log, and in the cookie */
	const [cookie] = await cookiesOf(where, 'shop.test');
	const [id, visits, ...times] = cookie.value.split('.');

	await where.addCookies([Object.assign(cookie, { value: [id, visits, ...times.map(t => t && t - 86400)].join('.') })]);
	sql(`UPDATE pk_tracking.log_visit SET visit_first_action_time = visit_first_action_time - interval '1 day',
		visit_last_action_time = visit_last_action_time - interval '1 day' WHERE idsite = ${site};
		UPDATE pk_tracking.log_link_visit_action SET server_time = server_time - interval '1 day' WHERE idsite = ${site}`);
	page = await open(where, 'returning');
	await viewed(2);
	const hit = views()[1];
	const ago = time => time && Math.round((Date.now() / 1000 - time) / 3600);

	is(`${hit._id === hits[0]._id} ${hit._idvc} ${ago(hit._idts)} ${ago(hit._viewts)} ${ago(hit._ects)}`, 'true 2 24 24 24', 'the cookie tells of the day before: _id, _idvc, _idts, _viewts, _ects');
	is(sql(`SELECT string_agg(visitor_returning || ' ' || visitor_count_visits, ', ' ORDER BY idvisit) FROM pk_tracking.log_visit WHERE idsite = ${site}`),
		'0 1, 2 2', 'two visits on two days: new, then returning, as a customer');
	const without = day => sql(`SELECT new_visit || ' ' || visitor_returning FROM pk_tracking.track_request('idsite=${site}&rec=1&url=https%3A%2F%2Fshop.test%2F&_id=00000000000000aa',
		'203.0.113.77', at => now() - interval '${day} day')`);

	is([without(1), without(0)].join(), 'true 0,true 0', 'and without what the cookie tells it would be new twice');
	await where.close();
};
