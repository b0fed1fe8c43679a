"""What people of the audience are called and what they say, in three languages."""

from __future__ import annotations

from typing import Literal

Mood = Literal["praise", "ask", "gripe", "crisis"]

FIRST_NAMES = {
    "fr": tuple(
        "Chloé Lucas Inès Hugo Manon Théo Zoé Karim Élodie Noé Camille Antoine Léa Mehdi Juliette Bastien Aïcha Rémi "
        "Clara Gaspard Louise Samir Margaux Émile Nina Paul Salomé Victor Jeanne Axel".split()
    ),
    "en": tuple(
        "Priya Ben Ruby Oliver Grace Theo Amara Jack Freya Samuel Nadia Harry Isla Callum Zara Leo Molly Dev Erin Finn "
        "Hannah Owen Keira Marcus Daisy Rowan Tessa Noah Imogen Callie".split()
    ),
    "ru": tuple(
        "Анна Иван Мария Дмитрий Ольга Сергей Дарья Алексей Елена Никита Полина Максим Вера Роман Ксения".split()
    ),
}
LAST_NAMES = {
    "fr": tuple(
        "Marchand Berger Fontaine Lemaire Girard Besson Caron Benali Roux Perrin Morel Leroy Garnier Chevalier Faure "
        "Haddad Lambert Renaud Colin Vidal Aubert Rey Meunier Barbier Dupuis Poirier Nguyen Costa Traoré Marty".split()
    ),
    "en": tuple(
        "Nair Carter Walsh Bennett Okafor Hughes Patel Foster Murray Reid Chen Doyle Ellis Shaw Ahmed Price Gordon "
        "Barnes Quinn Sutton Palmer Hayes Lloyd Khan Webb Mills Fraser Boyd Osborne Byrne".split()
    ),
    "ru": tuple(
        "Коваль Белая Громова Левченко Зима Соловей Ким Бондарь Жук Мороз Рыбак Гончар Седых Лис Чайка".split()
    ),
}

SAID: dict[str, dict[Mood, tuple[str, ...]]] = {
    "fr": {
        "praise": (
            "Magnifique, bravo à toute l’équipe !",
            "J’adore, merci pour le partage 😍",
            "Exactement ce que je cherchais.",
            "Toujours au top, comme d’habitude.",
            "Je l’ai acheté la semaine dernière, j’en suis ravie.",
            "Quelle belle idée 👏",
        ),
        "ask": (
            "Bonjour, est-ce disponible en magasin ?",
            "Vous livrez en Belgique ?",
            "Jusqu’à quelle heure êtes-vous ouverts samedi ?",
            "Quelles tailles reste-t-il ?",
            "C’est à quel prix, s’il vous plaît ?",
            "Y a-t-il une version pour débutants ?",
        ),
        "gripe": (
            "Ma commande n’est toujours pas arrivée…",
            "Un peu déçu par la qualité cette fois.",
            "Personne ne répond au téléphone depuis lundi.",
            "Le site ne marche pas sur mon mobile.",
        ),
        "crisis": (
            "C’est une honte, vous devez vous expliquer !",
            "Je ne vous achèterai plus rien.",
            "Votre silence en dit long…",
            "Remboursez les clients concernés, maintenant.",
            "On attend toujours des excuses.",
        ),
    },
    "en": {
        "praise": (
            "Love this, well done!",
            "Exactly what I needed today.",
            "You never disappoint 🙌",
            "Bought one last week and I am so happy with it.",
            "This made my morning.",
            "Brilliant idea 👏",
        ),
        "ask": (
            "Is it available in stores?",
            "Do you ship to Ireland?",
            "What time do you close on Saturday?",
            "Which sizes are left?",
            "How much is it?",
            "Is there a version for beginners?",
        ),
        "gripe": (
            "Still waiting for my order…",
            "A bit let down by the quality this time.",
            "Nobody has picked up the phone since Monday.",
            "Your site does not work on my phone.",
        ),
        "crisis": (
            "Shame on you, we deserve an explanation!",
            "I am done buying from you.",
            "Your silence says it all…",
            "Refund the people concerned, now.",
            "Still no apology?",
        ),
    },
    "ru": {
        "praise": (
            "Очень красиво, молодцы!",
            "То, что нужно, спасибо 😍",
            "Купила на прошлой неделе, очень довольна.",
            "Как всегда на высоте.",
            "Отличная идея 👏",
        ),
        "ask": (
            "Здравствуйте, есть ли это в магазине?",
            "Вы отправляете за границу?",
            "До скольких вы работаете в субботу?",
            "Какие размеры остались?",
            "Сколько это стоит?",
        ),
        "gripe": (
            "Заказ так и не пришёл…",
            "Качество в этот раз разочаровало.",
            "С понедельника никто не берёт трубку.",
        ),
        "crisis": (
            "Это позор, объяснитесь!",
            "Больше ничего у вас не куплю.",
            "Ваше молчание говорит само за себя…",
            "Верните людям деньги.",
        ),
    },
}
