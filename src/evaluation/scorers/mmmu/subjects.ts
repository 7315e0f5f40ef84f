/** @file MMMU's 30 subjects in six domains (Yue et al., "MMMU", CVPR 2024, table 2). */

const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'Art and Design': ['Art', 'Art_Theory', 'Design', 'Music'],
  Business: ['Accounting', 'Economics', 'Finance', 'Manage', 'Marketing'],
  Science: ['Biology', 'Chemistry', 'Geography', 'Math', 'Physics'],
  'Health and Medicine': ['Basic_Medical_Science', 'Clinical_Medicine', 'Diagnostics_and_Laboratory_Medicine', 'Pharmacy', 'Public_Health'],
  'Humanities and Social Science': ['History', 'Literature', 'Sociology', 'Psychology'],
  'Tech and Engineering': [
    'Agriculture',
    'Architecture_and_Engineering',
    'Computer_Science',
    'Electronics',
    'Energy_and_Power',
    'Materials',
    'Mechanical_Engineering',
  ],
};

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[\s_]+/g, ' ')
    .trim();
const BY_SUBJECT = new Map(Object.entries(DOMAINS).flatMap(([domain, subjects]) => subjects.map(subject => [plain(subject), domain])));

/** The domain of a subject, however its name is spaced; undefined for one that MMMU does not have. */
export const domainOf = (subject: string): string | undefined => BY_SUBJECT.get(plain(subject));
