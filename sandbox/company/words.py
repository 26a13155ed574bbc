"""Word lists for the invented company. All people, firms and addresses are made up; domains end in .example."""

from __future__ import annotations

FIRST = (
    "Ada", "Alva", "Amara", "Anders", "Anika", "Arjun", "Astrid", "Beatriz", "Bence", "Bianca", "Birgit",
    "Caleb", "Camila", "Carmen", "Cedric", "Chiara", "Dafne", "Dario", "Davor", "Edith", "Eino", "Elif",
    "Emeka", "Erik", "Esther", "Fabian", "Farah", "Felipe", "Freya", "Gesa", "Gustav", "Hamza", "Hanna",
    "Haruto", "Helena", "Ida", "Ilse", "Imran", "Ingrid", "Isak", "Ivana", "Jana", "Javier", "Jelena",
    "Joaquin", "Jorge", "Kaja", "Kamal", "Karim", "Katja", "Kenji", "Lamin", "Lars", "Leila", "Linnea",
    "Lorenzo", "Luca", "Maja", "Malik", "Marit", "Marta", "Mehmet", "Mila", "Mira", "Nadir", "Naomi", "Nikola",
    "Noor", "Odd", "Olga", "Omar", "Paolo", "Petra", "Quentin", "Rafael", "Rania", "Renata", "Rosa", "Sanne",
    "Selma", "Signe", "Silas", "Soren", "Sunita", "Tariq", "Tessa", "Thea", "Tove", "Ulrik", "Uma", "Vera",
    "Viktor", "Wanda", "Xenia", "Yara", "Yusuf", "Zara", "Zeno", "Zoe",
)  # fmt: skip

LAST = (
    "Aalto", "Abebe", "Acosta", "Almeida", "Amundsen", "Andrade", "Arslan", "Bakker", "Balogun", "Barros",
    "Bauer", "Benali", "Berg", "Bianchi", "Blom", "Borg", "Brandt", "Castillo", "Cervenka", "Chaudhry", "Costa",
    "Dahl", "Danso", "Delgado", "Diallo", "Dubois", "Eide", "Ekstrom", "Ersoy", "Esposito", "Farkas", "Fjeld",
    "Fontaine", "Gallo", "Garrido", "Gruber", "Haddad", "Halvorsen", "Hansson", "Haugen", "Horvat", "Hussain",
    "Ibsen", "Ivarsson", "Jansen", "Jensen", "Kaplan", "Karlsen", "Keita", "Kivela", "Kobayashi", "Kovacs",
    "Kruse", "Lange", "Larsen", "Lehto", "Leone", "Lindgren", "Lopes", "Lund", "Madsen", "Maier", "Mancini",
    "Markovic", "Mbeki", "Medina", "Meier", "Mensah", "Moen", "Molnar", "Morales", "Moreau", "Mori", "Nagy",
    "Navarro", "Nilsen", "Nowak", "Nygaard", "Okoye", "Olsen", "Ortega", "Oyelaran", "Paulsen", "Pavlov",
    "Pereira", "Petrov", "Pinto", "Popescu", "Quist", "Rahman", "Ramos", "Reyes", "Ricci", "Rossi", "Ruiz",
    "Saito", "Salonen", "Santos", "Schmid", "Sharma", "Silva", "Simic", "Solberg", "Soto", "Strand", "Svensson",
    "Szabo", "Tamm", "Teixeira", "Thorsen", "Toth", "Traore", "Ueda", "Ulvestad", "Vargas", "Vasquez", "Vinter",
    "Vogel", "Weber", "Wikstrom", "Yilmaz", "Zeller", "Zhou", "Zimmer",
)  # fmt: skip

MAIL_DOMAINS = (
    "brightmail.example",
    "postfach.example",
    "correo.example",
    "inbox.example",
    "fjordpost.example",
    "mailhub.example",
)

CITIES = (
    "Oslo, Norway",
    "Bergen, Norway",
    "Berlin, Germany",
    "Hamburg, Germany",
    "London, England, United Kingdom",
    "Zurich, Switzerland",
    "Lisbon, Portugal",
    "Madrid, Spain",
    "New York, NY",
    "Austin, TX",
    "Dublin, Ireland",
    "Stockholm, Sweden",
    "Greater London Area",
    "Remote",
    "Sao Paulo",
    "",
)

FIRMS = (
    "Fjordworks",
    "Northbay Labs",
    "Cobalt & Pine",
    "Helio Systems",
    "Brightwater Bank",
    "Kestrel Mobility",
    "Opal Health",
    "Tidemark",
    "Lumen Freight",
    "Quartz Analytics",
    "Marble Arch Media",
    "Sable Robotics",
)

SCHOOLS = (
    "NTNU",
    "TU Delft",
    "University of Porto",
    "KTH",
    "ETH Zurich",
    "University of Leeds",
    "UC Davis",
    "HTW Berlin",
)

ROLES = ("Engineer", "Senior Engineer", "Designer", "Analyst", "Account Executive", "Support Specialist", "Team Lead")

AREA_CODES = (
    201, 202, 206, 212, 213, 214, 215, 216, 303, 305, 312, 313, 314, 401, 402, 404, 405, 408, 410, 412, 413,
    414, 415, 416, 501, 502, 503, 504, 505, 508, 510, 512, 513, 515, 601, 602, 603, 605, 606, 608, 610, 612,
    614, 615, 616, 617, 619, 701, 702, 703, 704, 706, 707, 708, 713, 714, 716, 717, 718, 801,
)  # fmt: skip

REAL_TAGS = ("Strong communicator", "Relocation", "silver medalist", "Silver Medalist", "Ex-intern", "Boomerang",
             "Robotics meetup 🤖", "Visa needed", "Full-Time", "keep warm", "R&D <core>", "2024/Q3 pool")  # fmt: skip

NOTE_TEXTS = (
    "Spoke for 20 minutes. Clear motivation, wants to relocate by autumn.",
    "Left a voicemail, will try again on Thursday.",
    "@ines please look at the portfolio, the second project is close to ours.",
    "Salary expectation is above our band, but the profile is worth a talk.",
    "Great references. Two of three called back the same day.",
    "Reschedule: child care on Monday mornings.",
    "Not a fit for this team; consider for Data later.\n\nSee also the earlier application.",
    "Asked for feedback in writing. Sent on the same day.",
    "Notice period: three months to the end of a quarter.",
    "Met at the robotics meetup 🤖, remembers our demo.",
    "Prefers e-mail. Do not call at work.",
    "Très bonne impression, parle aussi l'allemand (C1).",
)

COMMENTS = (
    "Done, positive.",
    "Agreed. Let us move on.",
    "I am less sure: the system design part was thin.",
    "Scheduled for next week.",
    "Thanks! @priya can you take it from here?",
    "+1",
)

FEEDBACK_TEXTS = (
    "Good system design, asked the right questions about failure cases.",
    "Solid fundamentals. Needed two hints in the coding part.",
    "Communicates well; weaker on estimation.",
    "Would raise the bar in this team.",
    "Pleasant talk, but little hands-on experience with our tools.",
)
