//! Word lists of the recogniser of names: frequent first names and surnames, what stands before names, and what never is one.

/// Frequent first names in the Czech Republic and beside it; they are compared by their stems. Folded, as all lists.
pub(super) const FIRST_NAMES: &str = "adam adela adela adrian adriana agata albert alena ales alexandr alexandra alexej alfred alice alois \
    alzbeta amalie andrea anastazie andrej anezka anna antonie antonin aneta arnost artur augustin barbora bara bartolomej beata bedrich \
    blanka blazena bohdan bohdana bohumil bohumila bohuslav bohuslava boleslav borivoj bozena bretislav bronislav cecilie ctibor ctirad cyril \
    cenek cestmir dagmar dalibor dalimil dan dana daniel daniela darina david denis denisa dita dobromil dominik dominika dora doubravka \
    drahomir drahomira drahoslav dusan eda eduard ela elena eliska ema emanuel emil emilie erik erika ester eugen eva evelina evzen evzenie ferdinand \
    filip frantisek frantiska gabriel gabriela gita gustav hana hanka hanus hedvika helena herbert herman hermina honza horymir hubert hugo hynek ida igor ilona ignac \
    irena iva ivan ivana iveta ivo ivona izabela jachym jakub jan jana jara jarmila jarek jaromir jaroslav jaroslava jeronym jindrich jindriska jirka jiri jirina \
    jitka johana jolana jonas josef josefa jozef julie julius justyna kamil kamila karel karla karolina kaspar katerina katka klara klaudie klement kornelie kristian kristina \
    kristyna krystof kveta kvetoslava kvido ladislav ladislava laura lenka leona leos leopold libor libuse lidmila linda lubomir lubomira lubor lubos lucie \
    ludek ludmila ludvik lukas lumir lydie magda magdalena marcel marcela marek margita marian mariana marie marika marketa marta \
    martin martina matej matous matyas max maxmilian medard michaela michael michal milada milan milena milica miloslav miloslava milos mira mirek \
    mirka miroslav miroslava mojmir monika nadezda natalie natasa nela nikol nikola nina nora norbert oldrich oldriska olga oleg oliver oskar ondra ondrej \
    ota otakar otmar oto otto pavel pavla pavlina pavol pepa petr petra petronela pravoslav premysl radek radim radka radmila radomir radoslav radovan rafael regina renata rene richard \
    robert robin roman romana rostislav rozalie rudolf ruzena rehor sabina samuel sandra sara sasa silvie simona slavomir slavka sona sofie stanislav \
    stanislava stela svatava svatopluk svatoslav svetlana sylvie sarka simon stefan stefania stepan stepanka tadeas tamara tatana tereza terezie teodor tibor tobias tomas tomek valdemar valentyna valerie \
    vanda vasil vaclav vendula vendulka vera veroslav veronika viktor viktorie vilem vilma vincenc viola vit vitek vitezslav vladan vladimir vladimira vladislav vlasta vlastimil vlastimila \
    vlastislav vojta vojtech vratislav xenie zbynek zbysek zdena zdenek zdenka zdenka zdislava zdravko zikmund zita zlata zora zoja zuzana zaneta zofie zelmira \
    jan juraj peter jozef milan lubomir zuzka katarina maria alzbeta eduard zigmund ludmila ivica martina viera \
    john james robert michael william david richard joseph thomas christopher charles daniel matthew anthony donald steven andrew paul joshua \
    kenneth kevin brian george timothy ronald jason edward jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott \
    brandon benjamin samuel gregory patrick raymond jack dennis jerry tyler aaron henry peter nathan zachary kyle oliver harry oscar simon \
    mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna \
    michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia kathleen amy angela shirley brenda emma catherine \
    samantha christine debra rachel carolyn janet maria heather diane olivia julia joyce victoria kelly christina joan evelyn lauren judith megan \
    hans klaus jurgen wolfgang dieter uwe heinz gunther gunter ulrich stefan andreas matthias sebastian jorg thorsten helga ursula ingrid \
    monika sabine heike birgit anja katrin susanne dietmar \
    krzysztof andrzej piotr tomasz pawel marcin grzegorz lukasz zbigniew jerzy malgorzata agnieszka katarzyna ewa magdalena joanna \
    oleksandr serhij volodymyr andrij oksana iryna natalia natalija olena tetjana svitlana ihor mykola dmytro dmitrij sergej nikolaj vladimir \
    fatima ahmed mohamed muhammad omar hassan ibrahim yusuf aisha rajesh amit priya sanjay sunil deepak yuki hiroshi kenji pedro carlos juan \
    jose miguel antonio luigi giovanni giuseppe francesca marco paolo alessandro chiara pierre jean francois luc sophie camille nguyen thanh huong linh tuan minh";

/// Frequent surnames that are no common words.
pub(super) const SURNAMES: &str = "novak dvorak horak kucera pospisil hajek jelinek ruzicka benes fiala sedlacek dolezal \
    kolar krejci navratil cermak vanek blazek kriz kovar bartos vlcek kopecky simek stepanek musil cech stanek kadlec stastny blaha \
    dusek hruska malina kratochvil simunek bures masek soukup valenta kaspar mares sebesta sevcik tesar jezek matejka barta sykora vavra \
    hladik kubicek zelenka bednar vondracek vondra moravec vacek vlach ptacek hanak janda janousek krizek strnad sindelar toman riha \
    slavik vitek broz machala mach svec tichy becka filip pesek havelka havlicek hrubes jirasek kalina kaplan klima klimes kohout \
    koudelka korinek krupicka kubat kunes machacek mikes mika mrazek necas nedved nemecek novotny novacek pavlicek pavlik peterka plachy \
    pokorny prochazka pribyl rada richter roubal rous reznicek sedlak skala slezak smetana sochor soucek stejskal striz suchanek svatos safarik simunek \
    skoda smid snajdr spacek sramek sterba svehla svejda tomasek trnka tuma urbanek vaculik vanecek vasicek vejvoda veverka vodicka vojtisek vrana vrba \
    zapletal zeman zak zizka zidek smith johnson williams jones davis miller wilson anderson taylor moore jackson thompson martinez robinson \
    harris lewis walker muller schmidt schneider fischer weber meyer wagner schulz hoffmann kowalski nowak wisniewski kovac horvath nagy varga toth szabo";

/// Stems of first names that begin sentences as other words: alone they are none.
pub(super) const FIRST_ALSO_WORDS: &str = "dan dana hana dora max rada eda mira slavka zlata kveta robin mark will rose grace april bill jack scott dennis carol stela filip karel tyler gary \
    minh linda ida ela tomek oto hugo kelly joyce ivo jara vit vera viola vlasta zora zita nina laura victoria patrick angela magda oskar michelle mary helga amanda thanh linh";

/// Folded surnames that are words or parts of other ones: in small letters they are none, alone they are none at the beginning of a sentence.
pub(super) const SURNAMES_ALSO_WORDS: &str = "maly novy cerny svoboda dvorak kral vesely zeman mraz pokorny tichy bily dlouhy kratky stary mlady hruby suchy stastny \
    smutny nemec cech polak prochazka ruzicka fiala sedlacek kolar krejci konecny holy hruska jahoda riha urban kovar vlcek musil skala skoda \
    zeleny cerveny modry hlavni velky siroky rychly novotny vyborny bohaty chudy zima jaro sobota nedele patek streda holub beran kos vlk kohout slavik rada zak vrba vrana malina kaplan strnad svec sedlak smetana slezak tesar \
    richter kriz kalina soucek vodicka jezek zajic jelen sova liska brouk motyl trnka dub javor blaha toman souhrada bartos cermak nedved necas plachy miller fischer weber walker taylor wagner hudec koza kren moravec vitek mach pribyl";

/// What never is a name, though it stands where names stand.
pub(super) const NO_NAMES: &str = "vam vas vase vasi vaseho vasemu vasem vasich vasim vasimi vy vami ty ti te tebe tobe tve tvuj tva tvou muj moje nas nase nasi nam customer customers sir \
    madam team all everyone there support service prosim dobry dobre dobra den vazeni vsem tymu zakaznice zakazniku zakaznici zakaznik klient klientka kliente \
    reditel rediteli doktore inzenyre ucitele profesore predsedo starosto kolego kolegyne kolegove pratele pan pana panu pani panove pane slecna slecno mr mrs ms miss dr sirs \
    obchodni oddeleni technicka technicke technicky podpora podpory zakaznicky zakaznicka servis the and i we you thank thanks best regards kind with your our my s se si na v z k o \
    a ale nebo jako kdy kde kdo co proc jak prosime dekuji dekujeme diky zdravi zdravim ing mgr bc phd judr mudr mvdr rndr phdr prof doc csc mba dis jmeno prijmeni telefon tel mobil email mail adresa ulice psc \
    ic ico dic datum cislo faktura objednavka smlouva ticket tiket hi hello dear ahoj from to cc subject predmet komu od kopie date sent odeslano re fw fwd \
    pondeli utery streda ctvrtek patek sobota nedele leden unor brezen duben kveten cerven cervenec srpen zari rijen listopad prosinec monday tuesday wednesday thursday friday saturday sunday \
    january february march april may june july august september october november december kc czk eur usd ok pdf \
    mam mame chtel chtela potrebuji potrebujeme bych bohuzel zbozi doprava platba reklamace vraceni stale jeste uz dnes zitra vcera or and note times phone call this please is it agent call contact account user in of for \
    spolecnost firma sro as recepce obchod info kontakt test reklamni hlavni fakturacni ucetni sklad prodejna eshop shop kancelar centrala asistentka vedouci manazer manager sales office director";

/// What a person is called by before the name.
pub(super) const TITLES: &str = "pan pana panu panem pane pani slecna slecno slecny slecne mr mrs ms miss herr herrn frau sir madam dr ing mgr bc mudr judr phdr rndr mvdr prof doc";

/// What stands before the name of who speaks or is meant, in any case.
pub(super) const INTRODUCTIONS: &str = "jmenuji jmenuju jmenuje jmenuj tady zde vola volala volal hovori mluvite podepsan podepsana jednatel jednatelka resitel technik ridic kolega kolegyne kolegou kolegyni manzel manzelka manzelem manzelkou bratr sestra syn syna dcera dcery maminka tatinek soused sousedka";

/// Greetings: on the same line a name may follow.
pub(super) const GREETINGS: &str =
    "ahoj cau nazdar dear hello hi hey mily mila milacku drahy draha vazeny vazena lieber liebe hallo zdravim servus";

/// Words that end a letter: a name follows, mostly on the next line.
pub(super) const CLOSINGS: &str = "pozdravem pozdravy pozdrav regards sincerely yours gruessen grussen grusse gruss dekuji dekujeme diky thanks thank cheers preji ucta uctou hezky brzy";

/// Headers and labels of forms: behind their `:` stands a name.
pub(super) const LABELS: &str = "from to cc bcc od komu kopie von an odesilatel prijemce jmeno prijmeni name surname kontakt contact zakaznik customer objednatel \
    osoba volajici caller klient client odberatel kupujici prodavajici zastoupen podepsan adresat vlastnik majitel uzivatel resitel operator agent hlaseni pacient nahlasil vyrizuje podpis manager";

/// Before a plate.
pub(super) const PLATE_WORDS: &str = "spz rz ecv plate kennzeichen";

/// What a street is called, before or within its name; with a number it is an address.
pub(super) const STREETS: &str = "ul ulice ulici namesti nam tr trida tride nabrezi nabr street st road rd avenue ave lane ln drive dr square sq boulevard blvd strasse gasse platz weg allee sidliste bulvar";

/// Where somebody lives: a street and a number follow.
pub(super) const LIVES: &str =
    "bydlim bydlime bydli bytem adresa adresu adrese adresou address sidlo sidlem doructe doruceni dorucovaci trvale";

/// Large towns, the stems of which stand behind a street and a number.
pub(super) const TOWNS: &str = "praha brno ostrava plzen liberec olomouc budejovice hradec pardubice usti zlin havirov kladno most opava frydek karvina jihlava teplice decin \
    karlovy chomutov jablonec mlada prostejov prerov ceska trebic znojmo kolin pribram cheb pisek trinec kromeriz orlova breclav vsetin uherske hodonin bratislava kosice presov zilina nitra trnava london berlin wien vienna";
