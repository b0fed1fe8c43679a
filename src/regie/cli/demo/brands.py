"""What the two brands of the demo say. Invented; any likeness is chance."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture: colours from top to bottom, and what it shows."""

    name: str
    colours: tuple[str, str, str]
    alt: str


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    slug: str
    zone: str
    language: str
    handle: str
    hours: tuple[int, ...]  # wall clock, one after the other
    pictures: tuple[Picture, ...]
    texts: tuple[str, ...]
    topics: dict[str, float] = field(default_factory=dict)  # how much its people care: a word in the text -> factor
    languages: dict[str, float] = field(default_factory=dict)
    later: tuple[str, ...] = ()  # still to go out
    networks: tuple[str, ...] = ()  # where it is: none named is everywhere


LUMEN = Brand(
    name="Atelier Lumen",
    slug="atelier-lumen",
    zone="Europe/Paris",
    language="fr",
    handle="atelier_lumen",
    hours=(9, 12, 18),
    languages={"fr": 0.8, "en": 0.15, "ru": 0.05},
    topics={"lin": 1.5, "atelier": 1.3, "soldes": 0.7, "retouche": 1.4},
    pictures=(
        Picture("lin-naturel.jpg", ("#e9dfcf", "#c9b79c", "#8c7a61"), "Une chemise en lin écru sur un cintre en bois."),
        Picture("indigo.jpg", ("#27406b", "#3f6593", "#a9c1d9"), "Des coupons de coton teints à l'indigo, en pile."),
        Picture("terracotta.jpg", ("#f2d3c2", "#d98e6b", "#94492d"), "Une robe terracotta posée sur une chaise."),
        Picture("mousse.jpg", ("#dfe5d2", "#93a67b", "#4c5c3c"), "Un gilet vert mousse et sa bobine de fil."),
        Picture("nuit.jpg", ("#2b2a36", "#4d4a63", "#c7b8d6"), "L'atelier le soir, une lampe au-dessus de la table."),
    ),
    texts=(
        "Premier rouleau de lin de la saison, tissé à Bailleul. Il sent encore le métier.",
        "Dans l'atelier ce matin : on coupe les chemises de printemps. Vingt-deux pièces, pas une de plus.",
        "Comment laver une chemise en lin ? À 30 degrés, à l'envers, et on la suspend encore mouillée.",
        "Une poche, deux boutons, zéro plastique. La veste Ondine revient vendredi.",
        "Votre ourlet s'est défait ? Retouche offerte à l'atelier, jeudi de 16 h à 19 h.",
        "On nous demande souvent d'où vient le coton. Réponse en trois mots : Grèce, biologique, tracé.",
        "Le bleu de cette robe demande onze bains d'indigo. On les a comptés.",
        "Petite série, petit stock : il reste quatre vestes Ondine en 38.",
        "Merci pour vos photos ! On a choisi celle de Camille pour la vitrine.",
        "Aujourd'hui on répare. Apportez un vêtement que vous aimez, on s'occupe du reste.",
        "Le patron de la jupe Salomé est terminé. Prochaine étape : la toile, puis vos avis.",
        "Ce vert n'est pas un vert. C'est de la gaude sur de l'indigo, et un peu de patience.",
        "Portes ouvertes de l'atelier samedi. Café, chutes de tissu à emporter, et nos machines qui ronronnent.",
        "Trois façons de porter la chemise Aube : rentrée, ouverte, nouée.",
        "On a pesé nos chutes du mois : 6,2 kg. Elles deviennent des chouchous et des trousses.",
        "Le lin froisse. C'est même à ça qu'on le reconnaît.",
        "La liste d'attente pour la jupe Salomé est ouverte.",
        "Soldes ? Non. Des prix justes toute l'année, et des retouches gratuites.",
        "Une cliente nous a rapporté une robe de 2019 pour un bouton. Elle est comme neuve.",
        "Demain, on répond en direct à vos questions sur les tailles. Posez-les ici.",
        "Notre fil vient de Roubaix. Notre musique d'atelier, de partout.",
        "Le colis part sans plastique. Le ruban est une lisière : gardez-le.",
        "Nouvelle couleur : terracotta. Elle a failli s'appeler « brique chaude ».",
        "La chemise Aube existe enfin du 34 au 52.",
        "On cherche une couturière ou un couturier à mi-temps, à Lille. Écrivez-nous.",
        "Printemps, acte deux : les robes arrivent mardi.",
    ),
    later=(
        "Les robes sont là. Lin, coton, et une doublure qu'on ne voit pas mais qu'on sent.",
        "Jeudi, retouche offerte à l'atelier. Venez avec votre histoire de bouton perdu.",
        "Avant, après : la veste Ondine de Claire, dix ans et trois retouches plus tard.",
        "Un atelier, six personnes, et une radio qui ne capte qu'une station.",
        "Samedi prochain : initiation à la teinture végétale. Il reste cinq places.",
    ),
)

NORD = Brand(
    name="Nordkraft Fitness",
    slug="nordkraft-fitness",
    zone="Europe/London",
    language="en",
    handle="nordkraft",
    hours=(7, 13, 19),
    networks=("mastodon", "bluesky", "telegram", "instagram", "facebook", "tiktok", "youtube", "x"),
    languages={"en": 0.85, "fr": 0.1, "ru": 0.05},
    topics={"rest": 1.4, "beginner": 1.5, "protein": 0.8, "run": 1.2},
    pictures=(
        Picture("morning-run.jpg", ("#ffe2b8", "#f3a65a", "#4b5d73"), "A runner on an empty road at sunrise."),
        Picture("kettlebell.jpg", ("#d8dde3", "#8794a3", "#2f3a46"), "A kettlebell on a rubber floor."),
        Picture("mat.jpg", ("#d5efe7", "#67b7a1", "#1f5b51"), "A rolled exercise mat beside a window."),
        Picture("lake.jpg", ("#cfe6f5", "#6ea7cc", "#1e4b6b"), "Two swimmers far out on a calm lake."),
        Picture("evening-class.jpg", ("#3a2e4d", "#7d5a86", "#f0b7a4"), "An evening class stretching in warm light."),
    ),
    texts=(
        "Ten minutes count. If that is all you have today, that is today's training.",
        "New beginner course starts Monday. No mirrors, no shouting, plenty of rest between sets.",
        "The most underrated exercise we know: going to bed half an hour earlier.",
        "Run slow enough to talk. If you cannot finish this sentence, slow down.",
        "Squat depth is personal. Hips are not all built alike, and that is fine.",
        "Rest day does not mean lazy day. It means the work from Tuesday is being paid out.",
        "How heavy? Heavy enough that the last two repetitions are honest work.",
        "Our lake swim was cold, short and entirely worth it. Next one on Sunday.",
        "Protein: you probably need a bit more. You certainly need fewer powders.",
        "Question of the week: my knees click. Is that bad? Usually not. Pain is the signal, noise is not.",
        "A warm-up in four moves. Two minutes. No excuses, no equipment.",
        "Anna, 61, did her first pull-up today. The whole room heard it.",
        "Missed a week? You lost almost nothing. Start lighter, finish happy.",
        "Grip strength is the quiet hero. Carry your shopping, skip the trolley.",
        "Beginner runners: one minute run, one minute walk, ten times. That is the plan.",
        "We mopped, we oiled, we labelled. The new rack is ready.",
        "Stretching before or after? After, mostly. Moving before, always.",
        "You do not need motivation. You need shoes by the door.",
        "Evening class is full on Wednesdays. Tuesday still has room, and better music.",
        "Kettlebell swing check: it is a hinge, not a squat. Film yourself from the side.",
        "Breakfast before training? Try both for a week each, keep what feels better.",
        "The run club meets at seven by the bridge. All paces, and we wait for everyone.",
        "Rest between sets: two minutes feels long and works.",
        "Three signs you are training too hard: bad sleep, bad mood, no progress. Take the day.",
        "Somebody left a left shoe. Just the left one. It is waiting at the desk.",
        "Spring plan is out: three sessions a week, forty minutes, for people with jobs.",
    ),
    later=(
        "Open day on Saturday: bring a friend who says they are not the gym type.",
        "Run club this week: hills. Small ones. We promise.",
        "Your spring plan, week two: the same moves, five per cent more.",
        "Ask our coaches anything, Thursday at one.",
        "Lake swim season, second dip. Towels are not provided, tea is.",
    ),
)

BRANDS = (LUMEN, NORD)
