/*
 * A single-page app with a router of its own: routes below …/app/ by the History
 * API, and by fragments.  Titles come a moment after the address, as frameworks do.
 */
(function () {
	'use strict';

	const base = location.pathname.replace(/\/app\/.*/, '/app/');
	const redirections = { '': 'home', old: 'new', older: 'old', lost: 'lost?from=app' };
	const nav = document.querySelector('nav');

	function show() {
		const route = location.hash.replace(/^#!?\//, '') || location.pathname.replace(base, '');

		setTimeout(() => { document.title = 'App: ' + route; }, 30);
	}

	/* A redirection replaces its address, as routers do it. */
	function settle() {
		const route = location.pathname.replace(base, '');

		if (!location.search && redirections[route] !== undefined) {
			history.replaceState({}, '', base + redirections[route]);
			settle();
		} else if (route === 'home' && location.search) {
			history.replaceState({}, '', base + 'home');
		}
		show();
	}

	window.app = {
		go: route => {
			history.pushState({ route }, '', base + route);
			settle();
		},
		/* the state of a route, such as how far it was scrolled */
		note: () => history.replaceState({ top: 100 }, '', location.href),
		/* as some frameworks do at each route */
		exchangeBody: () => {
			const body = document.createElement('body');

			body.append(document.createElement('main'));
			document.body.replaceWith(body);
		}
	};
	for (const route of ['list', 'old', '#/cart', '#terms']) {
		const link = document.createElement('a');

		link.href = route;
		link.textContent = route;
		nav.append(link, ' ');
	}
	nav.addEventListener('click', event => {
		const route = event.target.getAttribute('href');

		if (route && !route.startsWith('#')) {
			event.preventDefault();
			window.app.go(route);
		}
	});
	window.addEventListener('popstate', show);
	window.addEventListener('hashchange', show);
	settle();
})();
