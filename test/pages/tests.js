/* The tests of web/: what is on the screen, compared with what SQL says. */
'use strict';

const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');
const { top, world, ok, is, sql, rows, literal, until, sleep, context, newPage, loggedIn, open, settled, WEEK } = require('./world.js');

const web = path.join(top, 'web');
const DAYS = "'2026-11-14', '2026-11-20'";
const same = (got, wanted, what) => is(JSON.stringify(got), JSON.stringify(wanted), what);
const quietPage = (page, what) => is(page.faults.join('\n'), '', what + ': no fault in the page');

/* ---- how numbers look in English: written down here once more, to compare with ---- */

const two = n => String(n).padStart(2, '0');
const clock = s => (s >= 3600 ? Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + two(s % 60);

function shown(column, value) {
	if (value === null || value === undefined)
		return '–';
	if (/(^|_)rate(_new_visit|_returning_visit)?$|_percentage$|_evolution$/.test(column))
		return value.toFixed(1) + '%';
	if (/revenue|price/.test(column))
		return (value < 0 ? '-$' : '$') + Math.abs(value).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
	if (/^avg_time_on_/.test(column))
		return clock(Math.round(value));
	if (/page_load_time|time_server|time_dom/.test(column))
		return value.toFixed(2) + ' s';
	if (/_per_|^avg_/.test(column))
		return value.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
	return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/* ---- panels ---- */

/* The numbers of a panel on the screen, a list for each row. */
const onScreen = (page, panel) => page.locator(`[data-panel="${panel}"] tbody tr`).evaluateAll(list => list.map(tr => [...tr.querySelectorAll('.n')].map(td => (td.querySelector('.value') || td).textContent)));

/* Sites whose money is EUR: the hostile one. */
const inEuros = new Set();

/* The same by SQL: site, columns, further conditions. */
function bySql(panels, name, site, columns, filter = null) {
	const it = panels[name], report = 'report_' + (it.report || name);
	const args = Object.entries(Object.assign({}, it.args, it.grain ? { period: 'day' } : null)).map(([k, v]) => `, ${k} => ${literal(v)}`).join('');
	const all = [filter, it.where].filter(Boolean).join(';') || null;

	return rows(`SELECT * FROM pk_tracking.${report}(${site}, ${DAYS}${args}, filter => ${literal(all)}) r LIMIT ${it.series ? 400 : it.rows || 10}`)
		.map(row => columns.map(c => inEuros.has(site) ? shown(c, row[c]).replace('$', '€') : shown(c, row[c])));
}

const columnsShown = (it, given) => given || it.columns.slice(0, Math.max(2, 5 - Object.keys(it.labels).length));

module.exports = async () => {
	const { PANELS, VIEWS } = await import(pathToFileURL(path.join(web, 'panels.js')));
	globalThis.navigator = globalThis.navigator || { languages: ['en-US'] };
	const { narrowing } = await import(pathToFileURL(path.join(web, 'draw.js')));
	const texts = await import(pathToFileURL(path.join(web, 'texts.js')));
	const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
	const site = name => Number(sql(`SELECT idsite FROM pk_tracking.site WHERE name LIKE '%${name}'`));
	const shop = site('Shop'), hostile = site('Hostile'), empty = site('Empty'), trackers = site('Real trackers');
	const tests = {};

	inEuros.add(hostile);

	async function accessible(page, what) {
		await page.evaluate(axe);
		const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));

		is(found.violations.map(v => v.id + ' ' + v.nodes.slice(0, 3).map(n => n.target + ' ' + n.failureSummary.split('\n')[1]).join(' | ')).join('; '), '', what + ': axe-core');
	}

	/* Every text that the modules name is in the table. */
	tests.texts = async () => {
		const missing = [], table = fs.readFileSync(path.join(web, 'texts.js'), 'utf8');

		for (const file of fs.readdirSync(web).filter(f => f.endsWith('.js') && f !== 'texts.js'))
			for (const [, key, ends] of fs.readFileSync(path.join(web, file), 'utf8').matchAll(/\bt\('([^']+)'([,)])/g))
				if (ends === ')' && !table.includes(`'${key}': `) && !table.includes(`\t${key}: `))
					missing.push(file + ': ' + key);
		is(missing.join(', '), '', 'texts: none is missing');
		same(Object.keys(VIEWS).filter(v => texts.t('view', v) === v), [], 'texts: each view has a name');
		same(Object.values(VIEWS).flatMap(v => v.panels || []).map(p => [].concat(p)[0]).filter(p => texts.t('panel', p) === p || !PANELS[p]), [], 'texts: each panel has a name');
		same(Object.values(PANELS).flatMap(p => Object.values(p.filter || {}).flat()).filter(d => texts.t('dimension', d) === d), [], 'texts: each dimension of a row has a name');
		const columns = sql(`SELECT string_agg(DISTINCT a.name, ' ') FROM pg_proc p, unnest(p.proargnames) AS a(name) WHERE p.proname ~ '^report_'`).split(' ');

		same(Object.values(PANELS).flatMap(p => [...Object.keys(p.labels), ...p.columns]).filter(c => !columns.includes(c)), [], 'panels: their columns exist');
		const dimensions = sql("SELECT string_agg(name, ' ') FROM pk_tracking.filter_dimensions").split(' ');

		same(texts.dimensions().map(([name]) => name).filter(d => !dimensions.includes(d)), [], 'filters: their dimensions exist');
	};

	/* Log-in, and what the first view costs. */
	tests.login = async () => {
		const where = await context(), page = await newPage(where);

		await page.goto(world.url + '/');
		await page.getByLabel('User name').fill('pages_analyst');
		await page.getByLabel('Password').fill('wrong');
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
		is(await page.locator('#bar').count(), 0, 'log-in: not by a wrong password');
		await accessible(page, 'log-in');
		await page.getByLabel('Password').fill('secret of pages_analyst');
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.locator('#bar').waitFor();
		const [cookie] = await where.cookies();

		ok(cookie.httpOnly && cookie.sameSite === 'Strict', 'log-in: the cookie is HttpOnly and SameSite=Strict', JSON.stringify(cookie));
		const fresh = await newPage(await context({ storageState: await where.storageState() })), devtools = await fresh.context().newCDPSession(fresh);
		const asked = [];
		let requests = 0, bytes = 0;

		await devtools.send('Network.enable');
		devtools.on('Network.loadingFinished', e => { bytes += e.encodedDataLength; });
		fresh.on('request', r => { requests++; asked.push(r.url().replace(world.url, '')); });
		await fresh.goto(`${world.url}/?site=${shop}&${WEEK}`);
		await fresh.waitForFunction(() => document.querySelectorAll('.tile').length && document.querySelector('.canvas canvas') && document.querySelectorAll('[data-panel="pages"] tbody tr').length);
		await fresh.waitForLoadState('networkidle');
		ok(requests < 15, 'first view: fewer than 15 requests', asked.join('\n    '));
		ok(bytes < 300000, 'first view: under 300 kB', bytes);
		console.log(`       ${requests} requests, ${Math.round(bytes / 1000)} kB`);
		const outside = await fresh.evaluate(() => performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin)));

		same(outside, [], 'first view: nothing from elsewhere');
		quietPage(fresh, 'first view');
		await fresh.getByRole('button', { name: 'Log out' }).click();
		await fresh.getByLabel('Password').waitFor();
		await fresh.goto(`${world.url}/?site=${shop}`);
		await fresh.getByLabel('Password').waitFor();
		ok(true, 'log-out: the session has ended');
		await where.close();
	};

	/* Every view: all numbers of all panels, tiles, graph, accessibility, no width beyond the screen. */
	tests.views = async () => {
		const page = await loggedIn();
		const tables = world.isLong ? ['', '&all=1'] : [''];

		for (const number of world.isLong ? [shop, trackers, hostile] : [shop])
			for (const [name, view] of Object.entries(VIEWS).filter(([, v]) => !v.special))
				for (const all of tables) {
					const everything = all ? (view.panels || []).map(p => `&all.${[].concat(p)[0]}=1`).join('') : '';

					await open(page, `site=${number}&view=${name}&${WEEK}${everything}`);
					for (const [panel, given] of (view.panels || []).map(p => [].concat(Array.isArray(p) ? p : [p]))) {
						const it = PANELS[panel], columns = all ? it.columns : columnsShown(it, given);

						same(await onScreen(page, panel), bySql(PANELS, panel, number, columns), `${name} of site ${number}: ${panel}${all ? ', all columns' : ''}`);
					}
					if (view.tiles) {
						const report = 'report_' + (view.graph || 'visits');
						const [now] = rows(`SELECT * FROM pk_tracking.${report}(${number}, ${DAYS}, 'range')`);

						same(await page.locator('.tile .number').allTextContents(), view.tiles.map(c => shown(c, now[c]).replace('$', number === hostile ? '€' : '$')), `${name} of site ${number}: tiles`);
						const columns = view.stack || [view.tiles[0]];

						same(await page.locator('[data-panel="graph"] tbody tr').evaluateAll(list => list.map(tr => [...tr.querySelectorAll('td')].map(td => td.textContent))),
							rows(`SELECT * FROM pk_tracking.${report}(${number}, ${DAYS}, 'day')`).map(r => columns.map(c => shown(c, r[c]).replace('$', number === hostile ? '€' : '$'))), `${name} of site ${number}: graph`);
					}
					if (number === shop && !all && (world.isLong || name === 'overview'))
						await accessible(page, name);
					same(await page.locator('main [data-panel]:not(:has(.csv))').evaluateAll(list => list.map(p => p.dataset.panel)), [], `${name}: each panel has a CSV`);
					quietPage(page, name);
				}
	};

	/* The views that are no table. */
	tests.special = async () => {
		const page = await loggedIn();

		await open(page, `site=${shop}&view=sites&${WEEK}`);
		same(await onScreen(page, 'sites'), rows(`SELECT * FROM pk_tracking.report_sites(${DAYS}) ORDER BY nb_visits DESC`).map(r =>
			['nb_visits', 'visits_evolution', 'nb_uniq_visitors', 'nb_pageviews', 'pageviews_evolution', 'nb_conversions', 'revenue', 'revenue_evolution', 'anonymous_rate'].map(c => (/_evolution/.test(c) && r[c] > 0 ? '+' : '') + shown(c, r[c]))), 'all websites');
		if (world.isLong)
			await accessible(page, 'all websites');

		await open(page, `site=${shop}&view=funnel&${WEEK}&step=pageUrl=@/page/0&step=pageUrl=@/page/1&step=pageUrl=@/page/2`);
		same(await onScreen(page, 'funnel'), rows(`SELECT * FROM pk_tracking.report_funnel(${shop}, ${DAYS}, '{pageUrl=@/page/0,pageUrl=@/page/1,pageUrl=@/page/2}')`).map(r =>
			[shown('nb', r.nb_reached), shown('nb', r.nb_dropped), shown('step_rate', r.step_rate), shown('conversion_rate', r.conversion_rate), r.median_time === null ? '–' : clock(r.median_time)]), 'funnel');
		if (world.isLong)
			await accessible(page, 'funnel');
		await page.getByLabel('Step 3', { exact: true }).fill('eventCategory==none');
		await page.getByRole('button', { name: 'Show the funnel' }).click();
		await settled(page);
		ok((await onScreen(page, 'funnel'))[2][0] === '0', 'funnel: a step that nobody took');

		await open(page, `site=${shop}&view=log&${WEEK}`);
		const wanted = rows(`SELECT idvisit, jsonb_array_length(actions) AS actions, jsonb_array_length(conversions) AS conversions, host(location_ip) AS ip FROM pk_tracking.report_visit_log(${shop}, ${DAYS}, max_visits => 20)`);

		same(await page.locator('[data-visit]').evaluateAll(list => list.map(v => [Number(v.dataset.visit), v.querySelectorAll('.did-list li').length, v.textContent.includes('recognised')])), wanted.map(v => [v.idvisit, v.actions + v.conversions, true]), 'visit log: visits, actions, why');
		ok(wanted.every(v => /\.0\.0$|::$|^2001:db8/.test(v.ip)) && (await page.locator('[data-visit] .facts').allTextContents()).every((f, i) => f.includes(wanted[i].ip)), 'visit log: addresses in zeros', JSON.stringify(wanted.map(v => v.ip)));
		await accessible(page, 'visit log');
		await page.getByRole('button', { name: 'Older visits' }).click();
		await settled(page);
		is(await page.locator('[data-visit]').first().getAttribute('data-visit'), sql(`SELECT idvisit FROM pk_tracking.report_visit_log(${shop}, ${DAYS}, max_visits => 1, skip_visits => 20)`), 'visit log: the next visits');

		sql(`SELECT pk_tracking.track(${shop}, 'https://shop.example.org/just-now', 'Just now', ip => '198.51.100.77', user_agent => 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')`);
		await open(page, `site=${shop}&view=live`);
		ok((await page.locator('[data-panel="live"]').textContent()).includes('shop.example.org/just-now'), 'now: the hit of just now');
		is(await page.getByRole('link', { name: /^CSV/ }).count(), 1, 'now: CSV');
		is(await page.locator('[data-metric="nb_visits"]').textContent(), sql(`SELECT nb_visits FROM pk_tracking.report_live(${shop})`), 'now: visits');
		await accessible(page, 'now');

		await open(page, `site=${shop}&view=places&${WEEK}`);
		const colored = await page.locator('path.has').evaluateAll(list => list.map(p => p.dataset.country + ' ' + p.textContent.replace(/.*: /, '')).sort());
		const countries = rows(`SELECT country, nb_visits FROM pk_tracking.report_countries(${shop}, ${DAYS})`);

		same(colored, countries.filter(c => colored.some(x => x.startsWith(c.country + ' '))).map(c => c.country + ' ' + shown('nb', c.nb_visits)).sort(), 'map: countries');
		ok(colored.length > 5, 'map: most countries are on it', colored.length);
		quietPage(page, 'special views');
	};

	/* A row over time: its numbers are those of report_evolution(). */
	tests.rows = async () => {
		const page = await loggedIn(), dialog = page.locator('.row-dialog');
		const compare = async (number, days, what) => {
			await dialog.locator('tbody tr').first().waitFor();
			const asked = new URL(page.url()).searchParams, labels = JSON.parse(asked.get('of')), heads = await dialog.locator('thead th').allTextContents();
			const list = 'ARRAY[' + labels.map(literal).join(', ') + ']::text[]', wanted = rows(`SELECT first_day, numbers FROM pk_tracking.report_evolution(${number}, ${days}, 'report_${asked.get('row')}', ${list}, arguments => ${literal(asked.get('with'))})`);
			const names = Object.keys(wanted[0].numbers).filter(n => heads.includes(texts.metricName(n, asked.get('row'))));
			/* two columns may have one name: the first that has it */
			const columns = heads.slice(1).map(head => names.filter(n => texts.metricName(n, asked.get('row')) === head));
			const got = await dialog.locator('tbody tr').evaluateAll(list => list.map(tr => [...tr.querySelectorAll('td')].map(td => td.textContent)));

			return ok(got.length === wanted.length && got.every((r, i) => r.every((cell, k) => columns[k].some(c => cell.replace('€', '$') === shown(c, wanted[i].numbers[c])))), what, JSON.stringify(got) + '\n    wanted: ' + JSON.stringify(wanted.map(w => w.numbers)));
		};

		await open(page, `site=${shop}&view=pages&${WEEK}`);
		await page.getByRole('button', { name: 'Over time: /page/1', exact: true }).first().click();
		await compare(shop, DAYS, 'rows: a page over time');
		is(await dialog.locator('canvas').count(), 1, 'rows: as a graph, too');
		await accessible(page, 'rows');
		await dialog.getByLabel('Number shown').selectOption('exit_rate');
		await dialog.locator('thead th').nth(1).filter({ hasText: 'Exit rate' }).waitFor();
		ok(await until(() => new URL(page.url()).searchParams.get('row.metric') === 'exit_rate'), 'rows: the number is in the address', page.url());
		const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('link', { name: /^CSV/ }).click()]);

		is(fs.readFileSync(await download.path(), 'utf8').split('\n')[1].split(',').slice(0, 3).join(), sql(`SELECT concat_ws(',', first_day, last_day, numbers ->> 'nb_hits') FROM pk_tracking.report_evolution(${shop}, ${DAYS}, 'report_pages', '{https://shop.example.org/page/1}') LIMIT 1`), 'rows: CSV');
		await page.reload();
		await dialog.locator('thead th').nth(1).filter({ hasText: 'Exit rate' }).waitFor();
		await page.keyboard.press('Escape');
		await dialog.waitFor({ state: 'detached' });
		ok(await until(() => !/[?&](row|of)/.test(page.url())), 'rows: Escape closes, and the address forgets it', page.url());
		await page.goBack();
		await dialog.waitFor();
		await page.goBack();
		ok(true, 'rows: back opens it again');
		for (const [number, days, when, name] of world.isLong ? [shop, trackers, hostile].flatMap(n => Object.keys(VIEWS).filter(v => VIEWS[v].panels).map(v => n === trackers ? [n, "'2026-11-21', '2026-11-21'", 'period=day&date=2026-11-21', v] : [n, DAYS, WEEK, v])) : [[hostile, DAYS, WEEK, 'actions']]) {
			await open(page, `site=${number}&view=${name}&${when}`);
			for (const panel of VIEWS[name].panels.map(p => [].concat(p)[0]).filter(p => world.isLong || /^(events|searches|custom_variables)$/.test(p))) {
				const tool = page.locator(`[data-panel="${panel}"] tbody tr`).last().getByRole('button', { name: /^Over time/ });

				if (!await tool.count())
					continue;
				await tool.click();
				/* that may be a day of hours */
				await (number === trackers ? dialog.getByLabel('Graph by').selectOption('day') : null);
				await compare(number, days, `rows: ${panel} of site ${number}`);
				await page.keyboard.press('Escape');
				await dialog.waitFor({ state: 'detached' });
			}
		}
		is(String(await page.evaluate(() => window.pwned)), 'undefined', 'rows: nothing ran');
		quietPage(page, 'rows');
	};

	/* What came before a page and after it; a visitor's profile. */
	tests.flow = async () => {
		const page = await loggedIn(), url = 'https://shop.example.org/page/1';

		await open(page, `site=${shop}&view=pages&${WEEK}`);
		await page.locator('[data-panel="pages"]').getByRole('link', { name: 'What came before and after: /page/1', exact: true }).click();
		await settled(page);
		const wanted = rows(`SELECT * FROM pk_tracking.report_transitions(${shop}, ${DAYS}, '${url}')`), of = side => wanted.filter(r => r.side === side);

		for (const side of ['before', 'after'])
			same(await onScreen(page, side), of(side).slice(0, 15).map(r => [shown('nb', r.nb_hits), shown('a_rate', r.rate)]), `flow: ${side} the page`);
		same(await page.locator('[data-panel="page"] dd').allTextContents(), [of('page')[0].nb_hits, of('before').filter(r => !/^(page|search|reload)$/.test(r.kind)).reduce((n, r) => n + r.nb_hits, 0), ...['reload', 'exit'].map(kind => of('after').filter(r => r.kind === kind).reduce((n, r) => n + r.nb_hits, 0))].map(n => shown('nb', n)), 'flow: the page itself');
		await accessible(page, 'flow');
		await page.locator('[data-panel="after"]').getByRole('button', { name: /^All/ }).click();
		await settled(page);
		is((await onScreen(page, 'after')).length, of('after').length, 'flow: all rows');
		await page.locator('[data-panel="after"]').getByRole('link', { name: '/page/0', exact: true }).click();
		await settled(page);
		same(await onScreen(page, 'before').then(r => r.slice(0, 3)), rows(`SELECT * FROM pk_tracking.report_transitions(${shop}, ${DAYS}, 'https://shop.example.org/page/0') WHERE side = 'before' LIMIT 3`).map(r => [shown('nb', r.nb_hits), shown('a_rate', r.rate)]), 'flow: a click goes on to the next page');
		await open(page, `site=${shop}&view=transitions&${WEEK}&title=Page 2&filter=countryCode==de`);
		same(await onScreen(page, 'before').then(r => r.slice(0, 5)), rows(`SELECT * FROM pk_tracking.report_transitions(${shop}, ${DAYS}, title => 'Page 2', filter => 'countryCode==de') WHERE side = 'before' LIMIT 5`).map(r => [shown('nb', r.nb_hits), shown('a_rate', r.rate)]), 'flow: by title, with a filter');
		await open(page, `site=${shop}&view=transitions&${WEEK}`);
		is(await page.locator('.choices-list li').count(), 20, 'flow: pages to choose');

		const [{ id, n }] = rows(`SELECT idvisitor AS id, count(*) AS n FROM pk_tracking.visit WHERE idsite = ${shop} AND idvisitor IS NOT NULL AND user_id IS NULL AND visit_first_action_time < '2026-11-21' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1`);

		await open(page, `site=${shop}&view=log&${WEEK}&filter=visitorId==${id}`);
		await page.getByRole('link', { name: 'All visits of this visitor' }).first().click();
		await settled(page);
		const [profile] = rows(`SELECT * FROM pk_tracking.report_visitor(${shop}, '${id}')`);

		same(await page.locator('[data-panel="visitor"] [data-metric]').evaluateAll(list => list.map(d => [d.dataset.metric, d.textContent])).then(list => list.map(([c, text]) => c === 'sum_visit_length' ? text === clock(profile[c]) : text === shown(c, profile[c]))).then(list => list.every(Boolean)), true, 'profile: its sums');
		same(await page.locator('[data-panel="visits"] [data-visit]').evaluateAll(list => list.map(v => Number(v.dataset.visit))), profile.visits.map(v => v.idvisit), 'profile: its visits');
		if (world.isLong)
			await accessible(page, 'profile');
		await page.getByRole('link', { name: 'Each hit, in the visit log' }).click();
		await settled(page);
		is(await page.locator('[data-visit]').count(), Math.min(Number(n), 20), 'profile: back to the visit log');
		const [user] = rows(`SELECT user_id AS id FROM pk_tracking.visit WHERE idsite = ${hostile} AND user_id IS NOT NULL LIMIT 1`);

		await open(page, `site=${hostile}&view=visitor&uid=${encodeURIComponent(user.id)}`);
		is(await page.locator('[data-panel="visitor"] [data-metric="nb_visits"]').textContent(), sql(`SELECT nb_visits FROM pk_tracking.report_visitor(${hostile}, user_id => ${literal(user.id)})`), 'profile: of a user, with a hostile name');
		is(String(await page.evaluate(() => window.pwned)), 'undefined', 'profile: nothing ran');
		quietPage(page, 'flow');
	};

	/* Named filters, custom dimensions, and every report of the catalog. */
	tests.catalog = async () => {
		const page = await loggedIn();
		const visits = filter => shown('nb', rows(`SELECT nb_visits FROM pk_tracking.report_visits(${shop}, ${DAYS}, 'range', filter => ${literal(filter)})`)[0].nb_visits);
		const first = () => page.locator('.tile .number').first().textContent();

		await open(page, `site=${shop}&${WEEK}`);
		await page.keyboard.press('/');
		await page.locator('.adding select').first().selectOption({ label: 'German phones' });
		await page.locator('.adding').getByRole('button', { name: 'Add' }).click();
		await settled(page);
		is(await first(), visits('countryCode==de;deviceType==smartphone'), 'named filters: one is chosen');
		same(await page.locator('.chip > span').allTextContents(), ['Named filter German phones'], 'named filters: its chip');
		await page.keyboard.press('/');
		await page.keyboard.type('@Many actions');
		await page.keyboard.press('Enter');
		await settled(page);
		is(new URL(page.url()).searchParams.get('filter'), '@German phones;@Many actions', 'named filters: one is typed in');
		is(await first(), visits('countryCode==de;deviceType==smartphone;actions>5'), 'named filters: two of them');
		await page.locator('[data-panel="referrers"] tbody button').first().click();
		await settled(page);
		is(await page.locator('.chip').count() >= 3, true, 'named filters: with what a click on a row adds');
		ok(!await page.locator('main [role="alert"]').count(), 'named filters: and all panels are there');

		await open(page, `site=${hostile}&view=dimensions&${WEEK}`);
		const values = query => rows(query).map(r => ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'avg_time_on_dimension'].map(c => shown(c, r[c])));

		same(await onScreen(page, 'dimension1'), values(`SELECT * FROM pk_tracking.report_action_dimension(${hostile}, ${DAYS}, 1) LIMIT 10`), 'dimensions: values of one of actions');
		same(await onScreen(page, 'dimension1urls').then(all => all.map(r => r.slice(0, 3))), values(`SELECT * FROM pk_tracking.report_action_dimension_urls(${hostile}, ${DAYS}, 1) LIMIT 10`).map(r => r.slice(0, 3)), 'dimensions: by page');
		same(await onScreen(page, 'dimension2'), rows(`SELECT * FROM pk_tracking.report_by(${hostile}, ${DAYS}, 'dimension2') LIMIT 10`).map(r => ['nb_visits', 'nb_uniq_visitors', 'nb_actions_per_visit', 'avg_time_on_site'].map(c => shown(c, r[c]))), 'dimensions: values of one of visits');
		if (world.isLong)
			await accessible(page, 'dimensions');
		await page.locator('[data-panel="dimension2"] tbody button').first().click();
		await settled(page);
		ok((await page.locator('.chip > span').textContent()).startsWith('<img src=x onerror="window.pwned=1"> is '), 'dimensions: a value is a filter, by the name of its dimension');
		is(await onScreen(page, 'dimension2').then(r => r.length), 1, 'dimensions: which finds it');
		is(String(await page.evaluate(() => window.pwned)), 'undefined', 'dimensions: nothing ran');

		/* every report has a place */
		const list = await page.evaluate(() => fetch('/api/').then(a => a.json())).then(a => a.reports);
		const elsewhere = [...Object.keys(PANELS).map(n => PANELS[n].report || n), ...Object.values(VIEWS).map(v => v.graph), 'live', 'sites', 'visit_log', 'funnel', 'evolution', 'transitions', 'visitor', 'action_dimension', 'action_dimension_urls'];

		await open(page, `site=${shop}&view=reports&${WEEK}`);
		same(await page.locator('[data-panel="report"] select').locator('option').evaluateAll(o => o.map(x => x.value).sort()), list.map(r => r.name).sort(), 'reports: all of them can be chosen');
		console.log('       nowhere else: ' + list.map(r => r.name).filter(n => !elsewhere.includes(n)).join(' '));
		await accessible(page, 'reports');
		/* a new report needs nothing here */
		sql(`CREATE FUNCTION pk_tracking.report_pages_new(idsite integer, from_date date, to_date date, fewest integer DEFAULT 1, visitors text DEFAULT 'all', filter text DEFAULT NULL) RETURNS TABLE (url text, nb_hits bigint, nb_visits bigint)
			LANGUAGE sql STABLE AS 'SELECT url, nb_hits, nb_visits FROM pk_tracking.report_pages($1, $2, $3, $5, $6) WHERE nb_hits >= $4'; COMMENT ON FUNCTION pk_tracking.report_pages_new IS 'a report that is new';
			ALTER EXTENSION pk_tracking ADD FUNCTION pk_tracking.report_pages_new`);
		await open(page, `site=${shop}&view=reports&${WEEK}&report=pages_new`);
		ok((await page.locator('.hint').allTextContents()).join().includes('a report that is new'), 'reports: a new one is explained');
		await page.getByLabel('fewest').fill('20');
		await page.locator('[data-panel="report"]').getByRole('button', { name: 'Show' }).click();
		await settled(page);
		same(await onScreen(page, 'any'), rows(`SELECT * FROM pk_tracking.report_pages_new(${shop}, ${DAYS}, 20) LIMIT 50`).map(r => [shown('nb', r.nb_hits), shown('nb', r.nb_visits)]), 'reports: a new one is shown, with its argument');
		sql('ALTER EXTENSION pk_tracking DROP FUNCTION pk_tracking.report_pages_new; DROP FUNCTION pk_tracking.report_pages_new');
		const own = { by: ['dimension', 'resolution'], goals_by: ['dimension', 'countryCode'], action_dimension: ['dimension', 1], action_dimension_urls: ['dimension', 1], funnel: ['steps', 'pageUrl=@/page/0\npageUrl=@/page/1'], transitions: ['url', 'https://shop.example.org/page/1'], evolution: ['report', 'report_visits'], visitor: ['user_id', 'nobody'] };

		for (const report of list.filter(r => r.name !== 'pages_new' && (world.isLong || /^(funnel|visit_log)$/.test(r.name)))) {
			const has = report.arguments.map(a => a.name), numbers = report.columns.filter(c => c.category === 'N').map(c => c.name), [key, value] = own[report.name] || [];
			const number = /^action_dimension/.test(report.name) ? hostile : shop;		/* that has some */
			const given = { idsite: number, from_date: '2026-11-14', to_date: '2026-11-20', period: 'day', [key]: key === 'steps' ? '{' + value.split('\n').join() + '}' : value };

			await open(page, `site=${number}&view=reports&${WEEK}&report=${report.name}` + (key ? `&arg.${key}=${encodeURIComponent(value)}` : ''));
			is((await page.locator('[data-panel="any"] [role="alert"]').allTextContents()).join(), '', `reports: ${report.name} is shown`);
			const wanted = rows(`SELECT * FROM pk_tracking.report_${report.name}(${has.filter(a => given[a] !== undefined).map(a => `${a} => ${literal(String(given[a]))}`).join(', ')}) r LIMIT ${has.includes('period') ? 400 : 50}`);

			is((await onScreen(page, 'any')).length, wanted.length, `reports: ${report.name}: its rows`);
			ok((await onScreen(page, 'any')).every((r, i) => r.every((cell, k) => cell === shown(numbers.slice(-r.length)[k], wanted[i][numbers.slice(-r.length)[k]]) || /time|length|live/.test(report.name + numbers.slice(-r.length)[k]))), `reports: ${report.name}: its numbers`, JSON.stringify(await onScreen(page, 'any')) + JSON.stringify(wanted));
		}
		quietPage(page, 'catalog');
	};

	/* A click on a row narrows all; chips stay in the address and go. */
	tests.filters = async () => {
		const page = await loggedIn(), days = "'2026-11-01', '2026-11-30'";

		await open(page, `site=${shop}&${WEEK}`);
		await page.locator('[data-panel="countries"] tbody').getByRole('button', { name: 'Germany', exact: true }).click();
		await settled(page);
		ok(new URL(page.url()).searchParams.get('filter') === 'countryCode==de', 'filters: a click on a row is in the address', page.url());
		same(await onScreen(page, 'pages'), bySql(PANELS, 'pages', shop, ['nb_hits', 'nb_visits', 'exit_rate'], 'countryCode==de'), 'filters: the pages of Germany');
		await page.locator('[data-panel="device_types"] tbody tr').filter({ hasText: 'smartphone' }).locator('td').last().click();
		await settled(page);
		same(await page.locator('.chip > span').allTextContents(), ['Country is Germany', 'Kind of device is smartphone'], 'filters: chips');
		same(await onScreen(page, 'referrers'), bySql(PANELS, 'referrers', shop, ['nb_visits', 'bounce_rate', 'nb_conversions'], 'countryCode==de;deviceType==smartphone'), 'filters: two of them');
		await page.reload();
		await settled(page);
		is(await page.locator('.chip').count(), 2, 'filters: they outlive a reload');
		await page.getByRole('button', { name: 'Remove the filter: Country is Germany' }).click();
		await settled(page);
		same(await onScreen(page, 'countries'), bySql(PANELS, 'countries', shop, ['nb_visits', 'bounce_rate', 'nb_conversions'], 'deviceType==smartphone'), 'filters: one is taken away');
		await page.goBack();
		await settled(page);
		is(await page.locator('.chip').count(), 2, 'filters: back');
		await page.keyboard.press('/');
		await page.keyboard.type('page/1');
		await page.keyboard.press('Enter');
		await settled(page);
		same(await onScreen(page, 'pages'), bySql(PANELS, 'pages', shop, ['nb_hits', 'nb_visits', 'exit_rate'], 'countryCode==de;deviceType==smartphone;pageUrl=@page/1'), 'filters: one that is typed in');
		await open(page, `site=${shop}&${WEEK}&filter=noSuchThing==1`);
		ok((await page.locator('[data-panel="pages"] [role="alert"]').textContent()).includes('unknown dimension'), 'filters: a wrong one is explained by each panel', await page.locator('[data-panel="pages"]').textContent());
		/* what a click on a row adds finds the row's visits and no other */
		const wrong = [];

		for (const number of world.isLong ? [shop, trackers] : [trackers])
			/* products and pages after a search count visits by more than a filter can say */
			for (const [name, it] of Object.entries(PANELS).filter(([name, it]) => (it.filter || it.narrow) && !/^product|_after_search/.test(name))) {
				const args = Object.entries(it.args || {}).map(([k, v]) => `, ${k} => ${literal(v)}`).join('');

				const found = rows(`SELECT * FROM pk_tracking.report_${it.report || name}(${number}, ${days}${args}, filter => ${literal(it.where || null)}) LIMIT ${world.isLong ? 50 : 2}`)
					.map(row => ({ filter: narrowing(it, row), wanted: row[it.columns.find(c => /(^|_)nb_visits(_converted)?$/.test(c))] }))
					.filter(x => x.filter);				/* a click on a row without a name does nothing */

				if (found.length)
					for (const x of rows(`SELECT x.filter, x.wanted, v.nb_visits AS got FROM json_to_recordset(${literal(JSON.stringify(found))}) AS x(filter text, wanted bigint),
						LATERAL pk_tracking.report_visits(${number}, ${days}, 'range', filter => x.filter) v WHERE v.nb_visits IS DISTINCT FROM x.wanted`))
						wrong.push(`${name} of site ${number}: ${x.filter} finds ${x.got} visits, not ${x.wanted}`);
			}
		is(wrong.join('\n    '), '', 'filters: a row narrows to its visits');
		quietPage(page, 'filters');
	};

	/* Sorting, pages of rows, comparison, grain, CSV. */
	tests.tables = async () => {
		const page = await loggedIn();

		await open(page, `site=${shop}&view=pages&${WEEK}`);
		await page.locator('[data-panel="pages"]').getByRole('button', { name: 'Bounce rate' }).click();
		await settled(page);
		const rates = (await onScreen(page, 'pages')).map(r => r[3]);

		same(rates, rows(`SELECT bounce_rate FROM pk_tracking.report_pages(${shop}, ${DAYS}) ORDER BY bounce_rate DESC NULLS LAST LIMIT 10`).map(r => shown('bounce_rate', r.bounce_rate)), 'tables: sorted by another column');
		is(await page.locator('[data-panel="pages"] th[aria-sort]').getAttribute('aria-sort'), 'descending', 'tables: aria-sort');
		await page.getByRole('button', { name: 'Next rows of Page titles' }).click();
		await settled(page);
		same(await onScreen(page, 'titles'), rows(`SELECT * FROM pk_tracking.report_titles(${shop}, ${DAYS}) OFFSET 10 LIMIT 10`).map(r => ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'bounce_rate'].map(c => shown(c, r[c]))), 'tables: the next rows');
		const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV of Pages' }).click()]);
		const csv = fs.readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);

		is(csv.length - 1, Number(sql(`SELECT count(*) FROM pk_tracking.report_pages(${shop}, ${DAYS})`)), 'tables: CSV has all rows');
		await open(page, `site=${shop}&period=range&date=2026-11-17&to=2026-11-20&compare=previous`);
		const change = (a, b) => b ? Math.round((a - b) / b * 1000) / 10 : a ? 100 : 0;
		const visits = days => rows(`SELECT nb_visits FROM pk_tracking.report_visits(${shop}, ${days}, 'range')`)[0].nb_visits;

		ok((await page.locator('.tile').first().textContent()).includes(change(visits("'2026-11-17', '2026-11-20'"), visits("'2026-11-13', '2026-11-16'")) + '%'), 'comparison: the first tile');
		const countries = days => Object.fromEntries(rows(`SELECT country, nb_visits FROM pk_tracking.report_countries(${shop}, ${days})`).map(r => [r.country, r.nb_visits]));
		const now = countries("'2026-11-17', '2026-11-20'"), before = countries("'2026-11-13', '2026-11-16'");
		const germany = await page.locator('[data-panel="countries"] tbody tr').filter({ hasText: 'Germany' }).locator('.change').textContent();

		ok(germany.includes(String(Math.abs(change(now.de, before.de)))), 'comparison: a row', germany);
		await page.getByLabel('Graph by').selectOption('week');
		await settled(page);
		is(await page.locator('[data-panel="graph"] tbody tr').count(), 1, 'graph: by week');
		await open(page, `site=${shop}&period=day&date=2026-11-18`);
		same(await page.locator('[data-panel="graph"] tbody tr td').allTextContents(), rows(`SELECT nb_visits FROM pk_tracking.report_visits(${shop}, '2026-11-18', '2026-11-18', 'hour')`).map(r => String(r.nb_visits)), 'graph: hours of a day');
		await open(page, `site=${shop}&period=month&date=2026-11-18`);
		await page.locator('[data-panel="graph"] summary').click();
		await page.locator('[data-panel="graph"]').getByRole('button', { name: /Nov 18/ }).click();
		await settled(page);
		ok(/period=day&date=2026-11-18|date=2026-11-18&period=day/.test(page.url()), 'graph: a day of the table zooms', page.url());
		await open(page, `site=${shop}&${WEEK}`);
		await page.locator('[data-panel="graph"] canvas').click();
		await page.waitForURL(/period=day/);
		ok(/date=2026-11-17/.test(page.url()), 'graph: a click in its middle zooms', page.url());
		quietPage(page, 'tables');
	};

	/* Numbers by locale, and what is printed. */
	tests.looks = async () => {
		const german = await loggedIn('pages_analyst', { locale: 'de-DE' }), [now] = rows(`SELECT * FROM pk_tracking.report_visits(${shop}, ${DAYS}, 'range')`);

		await open(german, `site=${shop}&${WEEK}`);
		same(await german.locator('.tile .number').allTextContents().then(all => [all[2], all[5], all[7]]), [new Intl.NumberFormat('de-DE').format(now.nb_pageviews), new Intl.NumberFormat('de-DE', { style: 'percent', minimumFractionDigits: 1 }).format(now.bounce_rate / 100), new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol' }).format(now.revenue)], 'looks: numbers by locale');
		ok((await german.locator('[data-panel="countries"]').textContent()).includes('Deutschland'), 'looks: names of countries, too');
		await german.context().close();
		const page = await loggedIn();

		await page.goto(`${world.url}/?site=${shop}&view=pages&${WEEK}`);
		await page.locator('main[data-ready]').waitFor();
		await page.emulateMedia({ media: 'print' });
		await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
		await page.waitForFunction(() => !document.querySelector('main .loading, main [aria-busy]'));
		same(await page.locator('[data-panel]').evaluateAll(list => list.filter(p => !p.querySelector('tbody tr, .empty')).map(p => p.dataset.panel)), [], 'print: all panels are there, also those below the screen');
		is(await page.locator('nav, #top, .csv, .adder, .pager, .tools').evaluateAll(list => list.filter(e => e.getClientRects().length).length), 0, 'print: what is to be pressed is not');
		ok(await page.locator('h1').isVisible(), 'print: but the heading');
		if (world.shots)
			await page.screenshot({ path: path.join(world.shots, 'print.png'), fullPage: true });
		await page.context().close();
	};

	tests.keys = async () => {
		const page = await loggedIn();
		const at = () => { const q = new URL(page.url()).searchParams; return [q.get('period'), q.get('date'), q.get('to')].filter(Boolean).join(' '); };
		const press = async key => { await page.keyboard.press(key); return at(); };

		await open(page, `site=${shop}&${WEEK}`);
		is(await press('w'), 'week 2026-11-14', 'keys: W');
		is(await press('ArrowLeft'), 'week 2026-11-02', 'keys: left');
		is(await press('ArrowRight'), 'week 2026-11-09', 'keys: right');
		is(await press('m'), 'month 2026-11-09', 'keys: M');
		is(await press('ArrowLeft'), 'month 2026-10-01', 'keys: the month before');
		is(await press('y'), 'year ' + (new Date().getFullYear() === 2026 ? new URL(page.url()).searchParams.get('date') : '2026-10-01'), 'keys: Y');
		is(await press('d'), 'day ' + new URL(page.url()).searchParams.get('date'), 'keys: D');
		ok(/^day \d{4}-\d\d-\d\d$/.test(await press('t')), 'keys: T');
		await page.keyboard.press('?');
		await page.getByRole('dialog').waitFor();
		await accessible(page, 'keys');
		await page.keyboard.press('Escape');
		is(await page.getByRole('dialog').count(), 0, 'keys: Escape closes');
		await page.keyboard.press('/');
		ok(await page.evaluate(() => document.activeElement.matches('.adding input')), 'keys: / goes to the filter');
		await page.keyboard.type('dwm');
		is(await page.evaluate(() => document.activeElement.value), 'dwm', 'keys: not in a field');
		/* all can be reached by Tab, and Enter on a row narrows */
		await open(page, `site=${shop}&${WEEK}`);
		await page.locator('[data-panel="countries"] tbody button').first().focus();
		await page.keyboard.press('Enter');
		await settled(page);
		is(await page.locator('.chip').count(), 1, 'keys: Enter on a row');
	};

	/* One panel fails, the others stay; and it comes back. */
	tests.failing = async () => {
		const page = await loggedIn();

		await page.route('**/api/countries**', route => route.fulfill({ status: 504, contentType: 'application/problem+json', body: '{"title":"report took too long","status":504}' }));
		await open(page, `site=${shop}&${WEEK}`);
		ok((await page.locator('[data-panel="countries"] [role="alert"]').textContent()).includes('report took too long'), 'failing: the panel says so');
		same(await onScreen(page, 'pages'), bySql(PANELS, 'pages', shop, ['nb_hits', 'nb_visits', 'exit_rate']), 'failing: another one is there');
		await accessible(page, 'failing');
		await page.unroute('**/api/countries**');
		await page.locator('[data-panel="countries"]').getByRole('button', { name: 'Try again' }).click();
		await page.locator('[data-panel="countries"] tbody tr').first().waitFor();
		ok(true, 'failing: tried again');
		await page.route('**/api/', route => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"PostgreSQL is away","status":503}' }));
		await page.getByRole('button', { name: /^Over time: / }).first().click();
		await page.locator('.notices [role="alert"]').waitFor();
		is(await page.locator('.notices').textContent(), 'PostgreSQL is away', 'failing: a row over time says so, too');
		await page.unroute('**/api/');
		await page.getByRole('button', { name: /^Over time: / }).first().click();
		await page.locator('.row-dialog tbody tr').first().waitFor();
		ok(true, 'failing: and comes back');
	};

	/* A website without a hit, and the first one. */
	tests.empty = async () => {
		const page = await loggedIn();

		await open(page, `site=${empty}`);
		await page.getByRole('heading', { name: 'Waiting for the first hit' }).waitFor();
		ok((await page.locator('.waiting pre').textContent()).includes(`pk.js?idsite=${empty}`), 'empty: the tags');
		await accessible(page, 'empty');
		sql(`SELECT pk_tracking.track(${empty}, 'https://empty.example/first', 'First', ip => '198.51.100.78', user_agent => 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')`);
		await page.locator('[data-panel="pages"] tbody tr').first().waitFor();
		is(await page.locator('.tile .number').first().textContent(), '1', 'empty: the first hit appears by itself');
		await open(page, `site=${shop}&period=day&date=2026-11-02`);
		await page.getByRole('button', { name: /^Show / }).filter({ hasText: '2026' }).click();
		await settled(page);
		ok((await page.locator('.tile .number').first().textContent()) !== '0', 'empty: a quiet day leads to the last visits');
	};

	/* Nothing of what the internet sends runs. */
	tests.hostile = async () => {
		const page = await loggedIn();

		const [{ url }] = rows(`SELECT url FROM pk_tracking.report_pages(${hostile}, ${DAYS}) WHERE url LIKE '%script%'`);

		for (const name of Object.keys(VIEWS).filter(v => v !== 'admin' && (world.isLong || /overview|pages|sources|actions|shop|log|funnel|visitors|transitions|dimensions/.test(v)))) {
			await open(page, `site=${hostile}&view=${name}&${WEEK}&url=${encodeURIComponent(url)}&step=pageUrl=@<img src=x onerror=window.pwned=1>&step=pageUrl=@x`);
			await page.evaluate(() => document.querySelectorAll('details').forEach(d => { d.open = true; }));
			is(String(await page.evaluate(() => window.pwned)), 'undefined', `hostile: ${name} runs nothing`);
			is(await page.locator('main img, main script, main svg:not(.map svg), main iframe, main [onclick], main [onerror]').count(), 0, `hostile: ${name} makes no element of a text`);
			is(await page.locator('main a[href^="javascript"]').count(), 0, `hostile: ${name} links to no script`);
			is(page.faults.join('\n'), '', `hostile: ${name} breaks no rule`);
		}
		await open(page, `site=${hostile}&view=actions&${WEEK}`);
		ok((await page.locator('[data-panel="events"]').textContent()).includes('<img src=x onerror="window.pwned=1">'), 'hostile: the text is there as it was sent');
		await open(page, `site=${hostile}&view=shop&${WEEK}`);
		for (const button of await page.locator('[data-panel="products"] tbody button').all().then(all => all.slice(0, 1))) {
			await button.click();
			await settled(page);
			is(String(await page.evaluate(() => window.pwned)), 'undefined', 'hostile: nor does a chip of it');
		}
	};

	/* A public link: the numbers of one site, no single visits, no filter. */
	tests.link = async () => {
		const where = await context(), page = await newPage(where);
		const token = sql(`SELECT pk_tracking.create_web_token('for the press', role => 'pages_analyst', idsite => ${shop})`);

		await page.goto(`${world.url}/public/${token}`);
		await page.locator('#bar').waitFor();
		for (const [name, view] of Object.entries(VIEWS).filter(([v]) => world.isLong || /overview|log|sources|goals/.test(v))) {
			await open(page, `site=${trackers}&view=${name}&${WEEK}`);
			if (view.tiles && view.graph !== 'orders' && (await page.locator('main').getAttribute('data-view')) === name)
				is(await page.locator('.tile .number').first().textContent(), shown('nb', rows(`SELECT nb_visits FROM pk_tracking.report_visits(${shop}, ${DAYS}, 'range')`)[0].nb_visits), `link: ${name} has the numbers of its site`);
			is(await page.locator('main [role="alert"]').count(), 0, `link: ${name} asks nothing that is refused`);
		}
		const menu = await page.locator('#menu a').allTextContents();

		same(menu.filter(x => /Visit log|Now|Administration|All websites|Funnel/.test(x)), [], 'link: no visit log, nothing of now');
		is(await page.locator('.adder, tr.narrows, path[onclick]').count(), 0, 'link: no filter');
		same(await page.evaluate(site => Promise.all(['visit_log?', 'live?', 'visitor?', 'by?dimension=userId&', 'visits?filter=userId==a&', 'funnel?steps=userId==a&steps=userId==a&'].map(r =>
			fetch(`/api/${r}idsite=${site}&from=2026-11-14&to=2026-11-20`).then(a => a.status >= 400))), shop), [true, true, true, true, true, true], 'link: nor by direct requests');
		quietPage(page, 'link');
		await where.close();
	};

	/* An analyst of one site sees that one and no administration. */
	tests.one = async () => {
		const page = await loggedIn('pages_one'), news = site('News');

		await open(page, `site=${shop}&${WEEK}`);
		same(await page.locator('#bar .site').allTextContents(), ['News'], 'one site: no other one can be chosen');
		is(await page.locator('.tile .number').first().textContent(), shown('nb', rows(`SELECT nb_visits FROM pk_tracking.report_visits(${news}, ${DAYS}, 'range')`)[0].nb_visits), 'one site: its numbers');
		is(await page.getByRole('link', { name: 'Administration' }).count(), 0, 'one site: no administration');
		ok(await page.evaluate(site => fetch(`/api/visits?idsite=${site}&from=2026-11-14&to=2026-11-20&period=range`).then(a => a.status >= 400 ? true : a.json().then(x => !x.rows[0].nb_visits)), shop), 'one site: nothing of another by a direct request');
		ok(await page.evaluate(() => fetch('/api/admin/settings?idsite=3').then(a => a.status === 403)), 'one site: no settings by a direct request');
	};

	/* The article's seven steps, with a hit before and after. */
	tests.consent = async () => {
		const page = await loggedIn('pages_admin');
		const hit = n => sql(`SELECT pk_tracking.track(${shop}, 'https://shop.example.org/consent${n}', ip => '198.51.100.${n}', consent => 'unknown', at => timestamptz '2026-11-21 12:00+01', user_agent => 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')`);
		const stored = n => rows(`SELECT v.consent, host(v.location_ip) AS ip, v.idvisitor IS NULL AS nobody FROM pk_tracking.visit v JOIN pk_tracking.action a USING (idvisit) WHERE a.url = 'https://shop.example.org/consent${n}'`)[0];

		hit(81);
		await open(page, WEEK);															/* 1: log in */
		await page.getByRole('link', { name: 'Administration' }).click();				/* 2: Settings */
		await settled(page);
		await page.locator('#bar select').first().selectOption({ label: 'Shop' });				/* 3: the website */
		await settled(page);
		await page.getByRole('button', { name: 'Privacy', exact: true }).click();		/* 4: Privacy → Consent manager */
		await settled(page);
		is(await page.locator('[data-who="undecided"]').textContent(), 'an identified visit', 'consent manager: what holds before is said');
		await accessible(page, 'consent manager');
		await page.getByRole('button', { name: 'Configure' }).click();					/* 5: Configure */
		await settled(page);
		await page.getByRole('switch', { name: /Ask visitors for consent/ }).check();
		is(await page.locator('[data-who="undecided"]').textContent(), 'nothing', 'consent manager: the effect of the first switch');
		await page.getByRole('switch', { name: /Anonymous data tracking/ }).check();	/* 6: Anonymous data tracking */
		is(await page.locator('[data-who="undecided"]').textContent(), 'an anonymous visit', 'consent manager: the effect of the second');
		await accessible(page, 'consent manager, configure');
		await page.getByRole('button', { name: 'Save' }).click();						/* 7: Save */
		await page.locator('.done').first().waitFor();
		is(sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'consent_mode'`), 'ask_else_anonymous', 'consent manager: it is set');
		hit(82);
		same([stored(81), stored(82)], [{ consent: 'not asked', ip: '198.51.0.0', nobody: false }, { consent: 'undecided', ip: '0.0.0.0', nobody: true }], 'consent manager: a hit before, and one after');
		await page.getByRole('switch', { name: /Ask visitors for consent/ }).uncheck();
		await page.getByRole('button', { name: 'Save' }).click();
		ok(await until(() => sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'consent_mode'`) === 'not_asked'), 'consent manager: and off again');
		quietPage(page, 'consent manager');
	};

	/* The forms: every setting, its value, a change, a mistake; goals, tokens shown once, and the rest. */
	tests.admin = async () => {
		const page = await loggedIn('pages_admin');
		const part = name => open(page, `site=${shop}&view=admin&part=${name}`);

		await part('settings');
		same(await page.locator('[data-setting]').evaluateAll(list => list.map(s => s.dataset.setting)), sql(`SELECT string_agg(name, ' ' ORDER BY number) FROM pk_tracking.setting_definitions`).split(' '), 'settings: the registry has drawn them all');
		const setting = page.locator('[data-setting="visit_standard_length"]');

		await setting.getByRole('spinbutton').fill('3600');
		await setting.getByRole('button', { name: 'Save' }).click();
		ok(await until(() => sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'visit_standard_length'`) === '3600'), 'settings: one is changed');
		await page.locator('[data-setting="visit_standard_length"].changed').waitFor();
		await page.locator('[data-setting="visit_standard_length"]').getByRole('button', { name: 'Reset' }).click();
		ok(await until(() => sql(`SELECT source FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'visit_standard_length'`) !== 'site'), 'settings: and reset');
		const rules = page.locator('[data-setting="recognition_rules"]');

		await rules.getByRole('combobox').selectOption('matomo');
		await rules.getByRole('button', { name: 'Save' }).click();
		await page.locator('.warnings .notice').waitFor();
		ok(/Log was written under other recognition rules\..*Set the rules of a site before/.test(await page.locator('.warnings').textContent()), 'settings: a warning is shown', await page.locator('.warnings').textContent());
		sql(`SELECT pk_tracking.reset_site(${shop}, 'recognition_rules')`);
		await setting.getByRole('spinbutton').fill('1800');
		await setting.getByRole('button', { name: 'Save' }).click();
		await page.locator('.warnings .notice').waitFor({ state: 'detached' });
		sql(`SELECT pk_tracking.reset_site(${shop}, 'visit_standard_length')`);
		const list = page.locator('[data-setting="excluded_ips"]');

		await list.getByRole('textbox').fill('198.51.100.0/24\n10.*');
		await list.getByRole('button', { name: 'Save' }).click();
		ok(await until(() => sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'excluded_ips'`).includes('198.51.100.0/24')) || await list.textContent(), 'settings: a list');
		await page.locator('[data-setting="excluded_ips"]').getByRole('textbox').fill('no address');
		await page.locator('[data-setting="excluded_ips"]').getByRole('button', { name: 'Save' }).click();
		await page.locator('[data-setting="excluded_ips"] [role="alert"]').waitFor();
		ok(/invalid value/.test(await page.locator('[data-setting="excluded_ips"] [role="alert"]').textContent()), 'settings: a mistake is explained beside it');
		sql(`SELECT pk_tracking.reset_site(${shop}, 'excluded_ips')`);
		await page.getByRole('searchbox').fill('salt');
		ok(await until(() => /[?&]find=salt/.test(page.url())), 'settings: the search is in the address', page.url());
		same(await page.locator('[data-setting]:visible').evaluateAll(found => found.map(s => s.dataset.setting)), ['fingerprint_salt_rotation', ...sql("SELECT coalesce(string_agg(name, ' ' ORDER BY number), '') FROM pk_tracking.setting_definitions WHERE name || description ILIKE '%salt%' AND name <> 'fingerprint_salt_rotation'").split(' ').filter(Boolean)], 'settings: the search');

		await part('goals');
		await page.getByRole('textbox', { name: 'Name', exact: true }).fill('<i>hostile</i>');
		await page.getByRole('textbox', { name: 'Pattern' }).fill('/thanks');
		await page.getByRole('button', { name: 'Add' }).click();
		await page.locator('td, th').filter({ hasText: '<i>hostile</i>' }).first().waitFor();
		is(sql(`SELECT count(*) FROM pk_tracking.goal WHERE idsite = ${shop} AND name = '<i>hostile</i>' AND pattern = '/thanks' AND match_attribute = 'url'`), '1', 'goals: one is added');

		await part('segments');
		await page.locator('.grid').getByRole('textbox', { name: 'Name', exact: true }).fill('Big screens');
		await page.locator('.grid').getByRole('textbox', { name: 'Filter' }).fill('no such thing');
		await page.locator('.grid').getByRole('button', { name: 'Add' }).click();
		await page.locator('.grid [role="alert"]').waitFor();
		await page.locator('.grid').getByRole('textbox', { name: 'Filter' }).fill('resolution==1920x1080');
		await page.locator('.grid').getByRole('button', { name: 'Add' }).click();
		await page.locator('[data-segment="Big screens"]').waitFor();
		await page.locator('[data-segment="Big screens"]').getByRole('textbox').fill('resolution==2560x1440');
		await page.getByRole('button', { name: 'Save the filter Big screens' }).click();
		ok(await until(() => sql(`SELECT filter FROM pk_tracking.segment WHERE idsite = ${shop} AND name = 'Big screens'`) === 'resolution==2560x1440'), 'named filters: one is added, and changed');
		await open(page, `site=${shop}&${WEEK}&filter=countryCode==de`);
		is(await page.locator('.adding select').first().locator('option', { hasText: 'Big screens' }).count(), 1, 'named filters: it can be chosen');
		await page.getByRole('link', { name: 'Save as a named filter' }).click();
		await settled(page);
		is(await page.locator('.grid').getByRole('textbox', { name: 'Filter' }).inputValue(), 'countryCode==de', 'named filters: what is chosen can be saved');
		await page.getByRole('button', { name: 'Delete the filter Big screens' }).click();
		await page.locator('[data-segment="Big screens"]').waitFor({ state: 'detached' });
		is(sql(`SELECT count(*) FROM pk_tracking.segment WHERE name = 'Big screens'`), '0', 'named filters: one is deleted');

		await part('tokens');
		for (const [kind, test] of [['tracking', async token => sql(`SELECT count(*) FROM pk_tracking.token WHERE token_hash = sha256('${token}')`) === '1'],
			['reading', token => fetch(`${world.url}/api/visits?idsite=${shop}&from=2026-11-14&to=2026-11-20`, { headers: { Authorization: 'Bearer ' + token } }).then(a => a.status === 200)],
			['public', token => fetch(token, { redirect: 'manual' }).then(a => a.status === 303)]]) {
			await page.getByRole('textbox', { name: 'Name', exact: true }).fill('made for ' + kind);
			await page.locator('.part form select').selectOption(kind);
			await page.getByRole('button', { name: 'Add' }).click();
			await page.locator('.part th[scope="row"]').filter({ hasText: 'made for ' + kind }).waitFor();
			ok(await test(await page.locator('.once pre').textContent()), `tokens: one for ${kind} works`);
		}
		await page.getByRole('button', { name: 'Delete the token made for reading' }).click();
		await page.getByRole('button', { name: 'Delete the token made for reading' }).waitFor({ state: 'detached' });
		is(sql("SELECT count(*) FROM pk_tracking.web_token WHERE name = 'made for reading'"), '0', 'tokens: one is deleted');
		await page.reload();
		await settled(page);
		is(await page.locator('.once pre').count(), 0, 'tokens: shown once');

		await part('window');
		await page.getByRole('textbox', { name: 'Title' }).fill('<img src=x onerror=window.pwned=1>');
		is(await page.locator('.sample strong').textContent(), '<img src=x onerror=window.pwned=1>', 'window: the preview follows, and runs nothing');
		await page.getByLabel('Background', { exact: true }).fill('#1a4f8c');
		ok(await page.locator('.part .problem').first().isVisible(), 'window: low contrast is said at once');
		await page.getByLabel('Background', { exact: true }).fill('#ffffff');
		await page.getByRole('button', { name: 'Save' }).click();
		ok(await until(() => sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'consent_window'`).includes('onerror')), 'window: saved', await page.locator('.answer').first().textContent());

		await part('tracking');
		is(await page.locator('.part pre').textContent(), sql(`SELECT pk_tracking.tracking_code(${shop}, 'https://stats.example.org/')`), 'tracking code: the one of tracking_code(), and not of the daemon that serves the pages');
		await part('recognition');
		is(await page.getByRole('radio', { name: /^faq/ }).isChecked(), true, 'recognition: the profile in force is chosen');
		await page.getByRole('radio', { name: /^cookieless/ }).check();
		await page.getByRole('button', { name: 'Apply' }).click();
		ok(await until(() => sql(`SELECT value FROM pk_tracking.settings WHERE idsite = ${shop} AND name = 'fingerprint_salt_rotation'`) === 'daily'), 'recognition: a profile is applied');
		sql(`SELECT pk_tracking.apply_recognition_profile(${shop}, 'faq')`);
		await part('websites');
		await page.locator('form').filter({ hasText: 'Recognition' }).getByRole('textbox', { name: 'Name', exact: true }).fill('A new one');
		await page.getByRole('button', { name: 'Add' }).click();
		await page.waitForURL(/part=tracking/);
		await settled(page);
		ok((await page.locator('.part pre').textContent()).includes(`idsite=${site('A new one')}`), 'websites: one is added, and its code is there');
		const before = sql('SELECT count(*) FROM pg_roles');

		await part('users');
		ok((await page.locator('.part tbody').first().textContent()).includes('pages_one'), 'users: who may log in', await page.locator('.part').textContent());
		await page.locator('.part .row input').first().fill(`o'"x`);
		ok((await page.locator('.part pre').textContent()).includes(`CREATE ROLE "o'""x" LOGIN`) && (await page.locator('.part pre').textContent()).includes(`grant_web('o''"x', 'pages_daemon')`), 'users: the SQL to run, quoted, for this daemon');
		is(sql('SELECT count(*) FROM pg_roles'), before, 'users: nothing is run');
		for (const name of ['websites', 'tracking', 'recognition', 'privacy', 'window', 'settings', 'goals', 'dimensions', 'segments', 'exclusions', 'tokens', 'users', 'status'].filter(n => world.isLong || world.shots || /tokens|status/.test(n))) {
			await part(name);
			is(await page.locator('.part > .problem').allTextContents().then(all => all.join()), '', `administration: ${name} is drawn`);
			await accessible(page, 'administration, ' + name);
			if (world.shots)
				await page.screenshot({ path: path.join(world.shots, `admin-${name}.png`), fullPage: true });
		}
		await page.setViewportSize({ width: 360, height: 800 });
		for (const name of ['settings', 'window', 'privacy']) {
			await part(name);
			ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `administration: ${name}, 360 px: no wider than the screen`);
		}
		is(String(await page.evaluate(() => window.pwned)), 'undefined', 'administration: nothing ran');
		quietPage(page, 'administration');
	};

	/* No view is wider than the screen, in any width; what is dark has contrast, too. */
	tests.screens = async () => {
		const widths = world.isLong || world.shots ? [360, 768, 1440] : [360];

		for (const width of widths)
			for (const colorScheme of world.isLong || world.shots ? ['light', 'dark'] : ['dark']) {
				const page = await loggedIn('pages_analyst', { viewport: { width, height: 900 }, colorScheme });

				for (const name of Object.keys(VIEWS).filter(v => v !== 'admin' && (world.isLong || world.shots || ['overview', 'log'].includes(v)))) {
					await open(page, `site=${shop}&view=${name}&${WEEK}&compare=previous&filter=countryCode==de&step=pageUrl=@/page/0&step=pageUrl=@/page/1`);
					ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `screens: ${name}, ${width} px: no wider than the screen`);
					await accessible(page, `${name}, ${width} px, ${colorScheme}`);
					if (world.shots)
						await page.screenshot({ path: path.join(world.shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
				}
				await page.context().close();
			}
	};

	/* 200 attempts to log in, 40 in the short pass: the last test, because of all others' log-ins from here. */
	tests.attempts = async () => {
		const where = await context(), page = await newPage(where), count = {}, said = new Set(), attempts = world.isLong ? 200 : 40;
		let answer;
		const attempt = async password => {
			await page.getByLabel('Password').fill(password);
			[answer] = await Promise.all([page.waitForResponse(r => /\/api\/login$/.test(r.url())), page.getByRole('button', { name: 'Log in' }).click()]);
			await page.locator('form.login button:not([disabled])').or(page.locator('#bar')).first().waitFor();
		};

		await page.goto(world.url + '/');
		await page.getByLabel('User name').fill('pages_admin');
		for (let i = 0; i < attempts; i++) {
			await attempt('wrong ' + i);
			count[answer.status()] = (count[answer.status()] || 0) + 1;
			said.add((await page.getByRole('alert').textContent()).replace(/[0-9]+/, 'N'));
		}
		ok(count[401] <= 15 && count[429] === attempts - count[401], `attempts: of ${attempts} few are tried`, JSON.stringify(count));
		same([...said].sort(), ['too many attempts to log in Wait for N seconds, then try again.', 'wrong user or password'], 'attempts: the page says what is wrong');
		await attempt('secret of pages_admin');
		is(answer.status(), 429, 'attempts: the right password is not tried either');
		is(await page.locator('#bar').count(), 0, 'attempts: and nobody is in');
		await accessible(page, 'attempts');
		if (world.isLong) {
			/* as long as the page says */
			const seconds = Number(/Wait for ([0-9]+) seconds/.exec(await page.getByRole('alert').textContent())[1]);

			ok(seconds <= 60, 'attempts: it is to wait a minute at most', seconds);
			await new Promise(done => setTimeout(done, seconds * 1000));
			await attempt('secret of pages_admin');
			is(answer.status(), 200, 'attempts: after the wait the right password does');
			await page.locator('#bar').waitFor();
		}
		await where.close();
	};

	/* The picture of the README: --picture doc/web.png */
	if (world.picture)
		tests.picture = async () => {
			const page = await loggedIn('pages_analyst', { viewport: { width: 1440, height: 860 }, colorScheme: 'light' });

			sql(`DELETE FROM pk_tracking.site WHERE idsite IN (${hostile}, ${empty})`);
			await open(page, `site=${shop}&period=range&date=2026-11-18&to=2026-11-20&compare=previous`);
			await page.screenshot({ path: world.picture });
			ok(fs.statSync(world.picture).size < 200000, 'picture: under 200 kB', fs.statSync(world.picture).size);
		};

	return tests;
};
