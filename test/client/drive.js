/*
 * The script and the window in a real browser: runs the tests in tests/.
 *
 *	drive.js [--long] [--screenshots DIR] [TEST]...
 */
'use strict';

const helpers = require('./helpers.js');
const { ok, sql, start, stop, world } = helpers;

const args = process.argv.slice(2);
const only = args.filter((a, i) => !a.startsWith('--') && args[i - 1] !== '--screenshots');
const tests = Object.assign({}, ...['features', 'app', 'decisions', 'hostile', 'odd', 'window', 'matomo'].map(name => require(`./tests/${name}.js`)));
const texts = title => ({ title, text: 'Text', agree: 'Yes', refuse: 'No' });

world.isLong = args.includes('--long');
world.shots = args.includes('--screenshots') ? args[args.indexOf('--screenshots') + 1] : '';

/* name → settings; those of doc/client.md, "Decisions", have its words for a name */
const sites = {
	plain: {}, calls: {}, time: {}, tabs: {}, back: {}, blocked: {}, returning: {}, app: {}, hostile: {},
	respects: { respect_do_not_track: 'on' },
	not_asked: {},
	ask_else_nothing: { consent_mode: 'ask_else_nothing' },
	ask_else_anonymous: { consent_mode: 'ask_else_anonymous' },
	'ask_else_anonymous, anonymous_session_cookie = off': { consent_mode: 'ask_else_anonymous', anonymous_session_cookie: 'off' },
	'not_asked, force_cookieless_tracking = on': { force_cookieless_tracking: 'on' },
	'ask_else_anonymous, force_cookieless_tracking = on': { force_cookieless_tracking: 'on', consent_mode: 'ask_else_anonymous' },
	unrenewed: { cookie_renewal: 'off' },
	designed: { consent_mode: 'ask_else_anonymous', consent_window: JSON.stringify({ position: 'center', policy_url: '/privacy', ask_again_days: 30,
		colors: { background: '#1d2b1f', text: '#f2f5ee', button: '#c9e265', button_text: '#1d2b1f' },
		texts: { en: { title: 'Cookies?', text: 'A number in your browser, so that we know you when you come back.\nNothing else.', agree: 'Yes', refuse: 'No', policy: 'What we do with it' } } }) },
	texts: { consent_mode: 'ask_else_nothing', consent_window: JSON.stringify({ position: 'top',
		texts: { en: texts('<img src=x onerror="window.pwned=1"></script>\u2028"'), ar: texts('هل نتعرف عليك؟') } }) }
};

(async () => {
	let browser;

	try {
		({ browser } = Object.assign(world, await start(sites)));
		sql(`SELECT pk_tracking.add_dimension(${world.sites.calls}, 'plan', 'visit'), pk_tracking.add_goal(${world.sites.calls}, 'by hand', 'manually')`);
		for (const name in tests)
			if (!only.length || only.includes(name)) {
				const began = Date.now();

				await tests[name]().catch(e => ok(false, name + ' ran to its end', e.stack));
				console.log(`-- ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
			}
	} catch (e) {
		ok(false, 'the tests ran', e.stack);
	}
	await stop(browser);
})();
