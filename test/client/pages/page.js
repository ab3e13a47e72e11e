/* The page's own script, under a policy that allows no inline ones. */
window.pk = window.pk || function () { (window.pk.q = window.pk.q || []).push(arguments); };
document.getElementById('play').addEventListener('click', () => window.pk('event', 'Film', 'play', 'Trailer', 7));
document.getElementById('route').addEventListener('click', () => {
	history.pushState({}, '', 'film?id=7');
	document.title = 'Film';
});
document.documentElement.dataset.whole = 'yes';
