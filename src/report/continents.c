/*
 * continents.c
 *		The continents of countries, as Matomo has them: Central America with the
 *		Caribbean is one of its own.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pkt_continent_code);
PG_FUNCTION_INFO_V1(pkt_continent_name);

/* Codes of countries, ISO 3166, each with a space after it. */
static const struct
{
	const char *code;
	const char *name;
	const char *countries;
}			continents[] = {

	{"afr", "Africa",
		"ao bf bi bj bw cd cf cg ci cm cv dj dz eg eh er et ga gh gm gn gq gw ke km lr "
		"ls ly ma mg ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz td tg tn "
	"tz ug yt za zm zw "},
	{"amc", "Central America",
		"ag ai aw bb bl bm bq bs bz cr cu cw dm do gd gp gt hn ht jm kn ky lc mf mq ms "
	"ni pa pr sv sx tc tt vc vg vi "},
	{"amn", "North America",
	"ca gl mx pm us "},
	{"ams", "South America",
	"ar bo br cl co ec fk gf gy pe py sr uy ve "},
	{"ant", "Antarctica",
	"aq bv gs hm tf "},
	{"asi", "Asia",
		"ae af am az bd bh bn bt cc cn cx ge hk id il in io iq ir jo jp kg kh kp kr kw "
	"kz la lb lk mm mn mo mv my np om ph pk ps qa sa sg sy th tj tl tm tw uz vn ye "},
	{"eur", "Europe",
		"ad al at ax ba be bg by ch cy cz de dk ee es fi fo fr gb gg gi gr hr hu ie im "
		"is it je li lt lu lv mc md me mk mt nl no pl pt ro rs ru se si sj sk sm tr ua "
	"va "},
	{"oce", "Oceania",
	"as au ck fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk to tv um vu wf ws "}
};

/* SQL: continent_code(country text) -> text; NULL for an unknown country. */
Datum
pkt_continent_code(PG_FUNCTION_ARGS)
{
	char	   *country = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strlen(country) == 2 && country[0] != ' ' && country[1] != ' ')
	{
		char		entry[4] = {pg_tolower(country[0]), pg_tolower(country[1]), ' ', '\0'};

		for (int i = 0; i < (int) lengthof(continents); i++)
		{
			if (strstr(continents[i].countries, entry) != NULL)
				PG_RETURN_TEXT_P(cstring_to_text(continents[i].code));
		}
	}
	PG_RETURN_NULL();
}

/* SQL: continent_name(code text) -> text; NULL for an unknown code. */
Datum
pkt_continent_name(PG_FUNCTION_ARGS)
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));

	for (int i = 0; i < (int) lengthof(continents); i++)
	{
		if (strcmp(continents[i].code, code) == 0)
			PG_RETURN_TEXT_P(cstring_to_text(continents[i].name));
	}
	PG_RETURN_NULL();
}
