"""Resumes in four layouts: heading and contact line, sidebar, labelled form, and a German one."""

from dataclasses import dataclass

from infra.samples.blocks import Block, Bullets, Columns, Draft, Heading, Lines, Pairs, Paragraph, glued


@dataclass(frozen=True, slots=True)
class Candidate:
    """The facts of one resume."""

    name: str
    title: str
    phone: str
    skills: str
    profile: str
    jobs: tuple[tuple[str, str, str], ...]
    """Role, employer, years."""
    school: str

    @property
    def email(self) -> str:
        """An address at a domain that is kept for examples."""
        return f"{self.name.lower().replace(' ', '.')}@post.example"


CANDIDATES = (
    Candidate(
        "Ana Kovac",
        "Senior Data Engineer",
        "+44 20 7946 0133",
        "Python, Kafka, PostgreSQL, Terraform",
        "Nine years of moving data between systems that were never meant to meet.",
        (("Senior Data Engineer", "Halcyon Data Systems", "2021 - 2026"), ("Engineer", "Copperleaf", "2017 - 2021")),
        "MSc Computer Science, University of Dunmere, 2016",
    ),
    Candidate(
        "Daniel Osei",
        "Civil Engineer",
        "+1 303 555 0142",
        "AutoCAD, Hydraulics, Site supervision, Cost control",
        "Builds weirs, culverts and small dams, and keeps them standing.",
        (
            ("Civil Engineer", "Greenfield Municipal Water", "2019 - 2026"),
            ("Graduate Engineer", "Tern & Plover", "2017 - 2019"),
        ),
        "BEng Civil Engineering, Alder Falls College, 2017",
    ),
    Candidate(
        "Priya Raman",
        "Product Designer",
        "+44 161 496 0877",
        "Figma, User research, Prototyping, Accessibility",
        "Designs tools for people who use them eight hours a day.",
        (
            ("Product Designer", "Lumen Optical Works", "2020 - 2026"),
            ("Junior Designer", "Orchard Lane", "2018 - 2020"),
        ),
        "BA Industrial Design, Westhaven School of Art, 2018",
    ),
    Candidate(
        "Marcus Webb",
        "Operations Manager",
        "+1 206 555 0190",
        "Lean, Scheduling, SAP, Negotiation",
        "Runs depots of up to 140 people with fewer surprises every year.",
        (
            ("Operations Manager", "Vantage Rail Services", "2018 - 2026"),
            ("Shift Lead", "Solway Timber", "2014 - 2018"),
        ),
        "BSc Logistics, Crewton Polytechnic, 2013",
    ),
    Candidate(
        "Ingrid Solberg",
        "Clinical Research Nurse",
        "+47 22 55 01 88",
        "Trial protocols, Phlebotomy, GCP, Patient counselling",
        "Looks after patients in trials, and after the trials themselves.",
        (("Research Nurse", "Harwick General", "2019 - 2026"), ("Staff Nurse", "Fjordside Clinic", "2015 - 2019")),
        "Bachelor of Nursing, Bergen Municipal College, 2015",
    ),
    Candidate(
        "Yusuf Demir",
        "Backend Developer",
        "+49 30 5550 1177",
        "Go, Rust, gRPC, Kubernetes",
        "Writes services that are quiet at night.",
        (("Backend Developer", "Marlow Freight", "2022 - 2026"), ("Developer", "Kestrel Instruments", "2019 - 2022")),
        "BSc Informatics, Technical School of Hamburg, 2019",
    ),
    Candidate(
        "Clara Benedetti",
        "Financial Analyst",
        "+39 02 5550 1420",
        "Excel, Forecasting, IFRS, SQL",
        "Turns budgets into forecasts and forecasts into decisions.",
        (
            ("Financial Analyst", "Stonebridge Housing Trust", "2020 - 2026"),
            ("Auditor", "Pell & Partners", "2016 - 2020"),
        ),
        "MSc Finance, University of Pavilion, 2016",
    ),
    Candidate(
        "Owen Pritchard",
        "Secondary School Teacher",
        "+44 29 2018 0456",
        "Physics, Curriculum design, Mentoring, Welsh",
        "Has taught physics to eleven classes without losing a single lamp.",
        (
            ("Teacher of Physics", "Annanmouth Academy", "2016 - 2026"),
            ("Teaching Assistant", "Pellham High", "2015 - 2016"),
        ),
        "PGCE Physics, University of Harwick, 2015",
    ),
    Candidate(
        "Mei Tanaka",
        "Machine Learning Engineer",
        "+1 415 555 0166",
        "PyTorch, ONNX, Feature stores, Evaluation",
        "Ships models that are measured before they are praised.",
        (
            ("ML Engineer", "Copperleaf Analytics", "2021 - 2026"),
            ("Research Assistant", "Port Merrow Lab", "2019 - 2021"),
        ),
        "PhD Statistics, Port Merrow Institute, 2019",
    ),
    Candidate(
        "Tomas Lindqvist",
        "Electrician",
        "+46 8 555 014 70",
        "Installation, Fault finding, Solar, First aid",
        "Certified electrician with a clean record and a van.",
        (("Electrician", "Solberg Elektriska", "2015 - 2026"), ("Apprentice", "Norrby El", "2011 - 2015")),
        "Trade certificate, Norrby Vocational School, 2015",
    ),
    Candidate(
        "Lena Hoffmann",
        "Projektleiterin",
        "+49 40 5550 1234",
        "Projektplanung, Einkauf, MS Project, Englisch",
        "Zehn Jahre Erfahrung in der Leitung von Bauprojekten bis zwanzig Millionen Euro.",
        (("Projektleiterin", "Marlow Freight GmbH", "2019 - 2026"), ("Bauleiterin", "Hanse Bau", "2015 - 2019")),
        "Diplom-Ingenieurin, Technische Hochschule Lübeck, 2015",
    ),
)


def draft(person: Candidate, blocks: tuple[Block, ...], language: str = "en") -> Draft:
    """The resume as a document."""
    fields = {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "title": person.title,
        "skills": person.skills,
    }
    return Draft("resume", blocks, fields, language)


def jobs(person: Candidate) -> tuple[str, ...]:
    """The jobs, newest first."""
    return tuple(f"{role}, {employer}, {years}" for role, employer, years in person.jobs)


def classic(person: Candidate) -> Draft:
    """Name, title, contact line, sections."""
    blocks: tuple[Block, ...] = (
        Heading(person.name),
        Lines((person.title, f"{person.email} | {glued(person.phone)} | references on request")),
        Heading("Profile", 2),
        Paragraph(person.profile),
        Heading("Work Experience", 2),
        Bullets(jobs(person)),
        Paragraph("Led planning, coached newcomers and reported to the board every quarter."),
        Heading("Education", 2),
        Paragraph(person.school),
        Heading("Skills", 2),
        Paragraph(glued(person.skills)),
    )
    return draft(person, blocks)


def sidebar(person: Candidate) -> Draft:
    """Contact on the left, skills on the right, as templates of word processors have it."""
    blocks: tuple[Block, ...] = (
        Heading(person.name),
        Heading(person.title, 2),
        Columns(("Contact", person.email, person.phone), ("Skills", person.skills, "Driving licence: yes")),
        Heading("Employment history", 2),
        Lines(jobs(person)),
        Heading("About me", 2),
        Paragraph(person.profile),
        Heading("Education and training", 2),
        Paragraph(person.school),
    )
    return draft(person, blocks)


def form(person: Candidate) -> Draft:
    """A form with a label for everything."""
    blocks: tuple[Block, ...] = (
        Heading("Curriculum Vitae"),
        Pairs((("Name", person.name), ("Position", person.title), ("E-mail", person.email), ("Phone", person.phone))),
        Pairs((("Key skills", person.skills),)),
        Heading("Professional experience", 2),
        Bullets(jobs(person)),
        Heading("Qualifications", 2),
        Paragraph(person.school),
        Heading("Personal statement", 2),
        Paragraph(person.profile),
    )
    return draft(person, blocks)


def german(person: Candidate) -> Draft:
    """Ein Lebenslauf."""
    blocks: tuple[Block, ...] = (
        Heading("Lebenslauf"),
        Pairs((("Name", person.name), ("Beruf", person.title), ("E-Mail", person.email), ("Telefon", person.phone))),
        Heading("Berufserfahrung", 2),
        Bullets(jobs(person)),
        Heading("Ausbildung", 2),
        Paragraph(person.school),
        Pairs((("Kenntnisse", person.skills),)),
        Paragraph(person.profile),
    )
    return draft(person, blocks, "de")
